import Foundation
import TestSupport
import Testing

/// Damaged journal files against the entries that were written to them.
@Suite(.ownThreads) struct JournalDamageTests {
  private static let count = 600
  /// The numbers of the entries that `--identifier kata`, the default, is to find.
  private static let wanted = Set((0..<count).filter { $0 % 3 != 0 })

  private static func make(_ folder: TemporaryFolder, text: (Int) -> String = { _ in "" }) throws -> Data {
    let entries = (0..<count).map { number in
      Journal.entry(
        number,
        Journal.text([
          ("SYSLOG_IDENTIFIER", number % 3 == 0 ? "other" : "kata"), ("NUMBER", "\(number)"),
          ("MESSAGE", "message \(number)\(text(number))"),
        ]))
    }
    return try Data(
      contentsOf: URL(fileURLWithPath: try Journal.make(entries, in: folder, name: "good.journal")))
  }

  private struct Outcome {
    var status: Int32
    var numbers: [Int] = []
    var messages: [String] = []
    var gaps = 0
    var errors: String
    /// Whether every entry came once and whole.
    func isWhole(_ text: (Int) -> String = { _ in "" }) -> Bool {
      numbers.count == wanted.count && Set(numbers) == wanted
        && zip(numbers, messages).allSatisfy { $1 == "message \($0)\(text($0))" }
    }
  }

  private func read(_ bytes: Data, _ folder: TemporaryFolder, _ options: [String] = []) throws -> Outcome {
    let path = folder.url.path + "/damaged.journal"
    try bytes.write(to: URL(fileURLWithPath: path))
    let result = try Tool.run(
      ["--journal-file", path, "--output-format", "ndjson", "--fields", "number,msg", "--stats"] + options)
    var outcome = Outcome(status: result.status, errors: result.errorText)
    for line in result.output.split(separator: 0x0a) {
      let record = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      outcome.numbers.append((record?["number"] as? String).flatMap { Int($0) } ?? -1)
      outcome.messages.append(record?["msg"] as? String ?? "")
    }
    let statistics = result.errorText.split(separator: "\n").last.flatMap {
      try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Int]
    }
    outcome.gaps = try #require(statistics?["journal_gaps"], "\(result.errorText)")
    return outcome
  }

  /// The offsets of a file's objects by their type.
  private func objects(_ bytes: Data) -> [(offset: Int, type: UInt8, size: Int)] {
    func word(_ offset: Int) -> Int {
      (0..<8).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    var found: [(offset: Int, type: UInt8, size: Int)] = []
    var offset = word(88)
    while offset <= word(136) {
      found.append((offset, bytes[offset], word(offset + 8)))
      offset = (offset + word(offset + 8) + 7) & ~7
    }
    return found
  }

  /// One damaged byte of each kind of object costs at most what depends on that object.
  @Test(arguments: [
    // An entry's type, its size, its first item; the same of data that one entry has.
    (type: 3, byte: 0, loss: 1), (type: 3, byte: 9, loss: 1), (type: 3, byte: 65, loss: 0),
    (type: 1, byte: 0, loss: 1), (type: 1, byte: 9, loss: 1), (type: 1, byte: 40, loss: 0),
    (type: 1, byte: 16, loss: 0), (type: 6, byte: 25, loss: 0), (type: 6, byte: 0, loss: 0),
  ])
  func oneDamagedObjectCostsAtMostItsEntries(type: UInt8, byte: Int, loss: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = try Self.make(folder)
    let all = objects(bytes).filter { $0.type == type }
    // From the second half: the data that all entries share is at the start.
    for object in all.dropFirst(all.count / 2).prefix(6) {
      var damaged = bytes
      damaged[object.offset + byte] ^= 0x41
      let outcome = try read(damaged, folder)
      #expect(outcome.numbers.count >= Self.wanted.count - loss, "\(object): \(outcome.errors)")
      #expect(outcome.numbers.count == Set(outcome.numbers).count)
      guard !outcome.isWhole() else { continue }
      #expect(outcome.status == 1 && outcome.gaps > 0, "\(object): \(outcome.errors)")
      #expect(outcome.errors.contains("damaged.journal: the journal file is damaged:"), "\(outcome.errors)")
    }
  }

  /// Flipped bits, zeroed and overwritten pages, and cuts at many places: whatever is not read is said.
  @Test(arguments: [3, 7, 31] as [UInt64])
  func missingDataIsAlwaysReported(_ seed: UInt64) throws {
    let folder = try TemporaryFolder()
    let bytes = try Self.make(folder)
    let all = objects(bytes)
    // The hash tables before the first data are nearly all zeros: most faults go behind them, some into the header.
    let start = try #require(all.first { $0.type == 1 }?.offset)
    let end = try #require(all.last.map { $0.offset + $0.size })
    var generator = SplitMix64(state: seed)
    var faults = 0
    for _ in 0..<30 {
      let kind = generator.next() % 6
      let range = generator.next() % 8 == 0 ? 8..<264 : start..<end
      let place = range.lowerBound + Int(generator.next() % UInt64(range.count))
      var damaged = bytes
      switch kind {
      case 0: damaged.replaceSubrange((place & ~4095)..<(place & ~4095) + 4096, with: Data(count: 4096))
      case 1: for offset in place..<min(place + 512, end) { damaged[offset] = UInt8(generator.next() & 255) }
      case 2: damaged = damaged.prefix(place)
      default: damaged[place] ^= 1 << UInt8(generator.next() % 8)
      }
      let outcome = try read(damaged, folder)
      #expect(outcome.status == 0 || outcome.status == 1, "seed \(seed), kind \(kind) at \(place)")
      guard !outcome.isWhole() else { continue }
      faults += 1
      #expect(outcome.status == 1, "seed \(seed), kind \(kind) at \(place): \(outcome.errors)")
      // Of a file whose header is gone nobody knows how many there were.
      let isJournal = damaged.count > 264 && !(kind == 0 && place < 4096)
      #expect(outcome.gaps > 0 || !isJournal, "seed \(seed), kind \(kind) at \(place): \(outcome.errors)")
      let missing = Self.wanted.subtracting(outcome.numbers).count
      #expect(
        (outcome.gaps >= min(missing, 1) || !isJournal) && outcome.gaps <= 2 * Self.count,
        "seed \(seed): \(outcome.gaps)")
    }
    #expect(faults > 5)
  }

  @Test func compressedFieldsOfDamagedFilesAreRead() throws {
    let text = { (number: Int) in
      number % 5 == 0 ? " " + String(repeating: "long \(number) ", count: 200) : ""
    }
    let folder = try TemporaryFolder()
    let bytes = try Self.make(folder, text: text)
    let all = objects(bytes)
    #expect(all.contains { $0.type == 1 && bytes[$0.offset + 1] != 0 })
    var damaged = bytes
    let entry = try #require(all.filter { $0.type == 3 }.dropFirst(300).first)
    damaged[entry.offset] = 0
    let outcome = try read(damaged, folder)
    #expect(outcome.status == 1 && outcome.gaps == 1)
    #expect(
      Self.wanted.subtracting(outcome.numbers).count <= 1 && outcome.numbers.count >= Self.wanted.count - 1)
    #expect(zip(outcome.numbers, outcome.messages).allSatisfy { $1 == "message \($0)\(text($0))" })
  }

  /// Time, number of lines, unit and cursor apply to damaged files as well, and sound ones are read beside them.
  @Test func selectionAppliesToDamagedFiles() throws {
    let folder = try TemporaryFolder()
    let bytes = try Self.make(folder)
    let entry = try #require(objects(bytes).filter { $0.type == 3 }.dropFirst(300).first)
    var damaged = bytes
    damaged[entry.offset] = 0
    let since = try read(damaged, folder, ["--since", "@1772686914.5", "--until", "@1772686914.509"])
    #expect(since.numbers == [500, 502, 503, 505, 506, 508, 509])
    let lines = try read(damaged, folder, ["--lines", "3"])
    #expect(lines.numbers == [596, 598, 599].map { $0 })
    let other = try read(damaged, folder, ["--identifier", "other", "--lines", "2"])
    #expect(other.numbers == [594, 597])
    let cursor = folder.url.path + "/cursor"
    let first = try read(damaged, folder, ["--cursor-file", cursor])
    #expect(first.numbers.count >= Self.wanted.count - 1 && first.status == 1)
    #expect(try read(damaged, folder, ["--cursor-file", cursor]).numbers.isEmpty)
    let later = (0..<50).map {
      Journal.entry(1000 + $0, Journal.text([("SYSLOG_IDENTIFIER", "kata"), ("NUMBER", "\(1000 + $0)")]))
    }
    let sound = try Journal.make(later, in: folder, name: "sound.journal")
    let both = try read(damaged, folder, ["--journal-file", sound, "--identifier", "kata"])
    #expect(both.numbers.suffix(50) == (1000..<1050).map { $0 } && both.numbers.count >= 449)
    let directory = try folder.make("journals")
    for name in ["damaged", "sound"] {
      try FileManager.default.copyItem(
        atPath: "\(folder.url.path)/\(name).journal", toPath: directory.path + "/\(name).journal")
    }
    let result = try Tool.run([
      "--journal-directory", directory.path, "--output-format", "ndjson", "--fields", "number",
    ])
    #expect(result.status == 1 && result.text.split(separator: "\n").count == both.numbers.count)
  }

  /// Of several files one that is missing, or whose header is gone, leaves the others.
  @Test func unreadableFileLeavesTheOthers() throws {
    let folder = try TemporaryFolder()
    let bytes = try Self.make(folder)
    let headless = folder.url.path + "/headless.journal"
    try (Data(count: 4096) + bytes.dropFirst(4096)).write(to: URL(fileURLWithPath: headless))
    for (path, reason) in [
      (headless, "not a journal file, or its header is damaged"),
      (folder.url.path + "/none.journal", "open: No such file or directory"),
    ] {
      let outcome = try read(bytes, folder, ["--journal-file", path])
      #expect(outcome.isWhole() && outcome.status == 1 && outcome.gaps == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("error: \(path): \(reason)"), "\(outcome.errors)")
    }
    let result = try Tool.run(["--journal-directory", folder.url.path, "--output-format", "ndjson"])
    // Entries that two files have are read once.
    #expect(result.text.split(separator: "\n").count == Self.wanted.count)
    #expect(result.status == 1 && result.errorText.contains(headless), "\(result.errorText)")
  }

  /// libsystemd gives up a file of the machine's own journal without a word; the run does not.
  @Test(.enabled(if: PrivateJournald.isPossible, "a mount namespace and systemd-journald are needed"))
  func fileThatLibsystemdGivesUpIsReported() throws {
    let folder = try TemporaryFolder()
    let bytes = try Self.make(folder)
    var damaged = bytes
    // The lists of entries beyond the first of each data.
    for object in objects(bytes) where object.type == 6 && object.offset > bytes.count / 3 {
      damaged[object.offset] = 0
    }
    let path = folder.url.path + "/damaged"
    try damaged.write(to: URL(fileURLWithPath: path))
    let journald = try PrivateJournald()
    try journald.send("MESSAGE=first\nSYSLOG_IDENTIFIER=kata\nPRIORITY=4\n")
    let copy = "cd /run/log/journal/* && cp '\(path)' system@damaged.journal && pwd"
    let copied = try journald.run("/bin/sh", ["-c", copy])
    #expect(copied.status == 0, "\(copied.errorText)")
    let result = try journald.run(Tool.path, ["--journal", "--output-format", "ndjson", "--stats"])
    let file = copied.text.trimmingCharacters(in: .whitespacesAndNewlines) + "/system@damaged.journal"
    #expect(result.status == 1, "\(result.errorText)")
    #expect(
      result.errorText.contains(
        "\(file): the journal file is damaged and libsystemd stopped reading it; read the rest with --journal-file \(file)"
      ),
      "\(result.errorText)")
    let rest = try journald.run(Tool.path, ["--journal-file", file, "--output-format", "ndjson"])
    #expect(rest.text.split(separator: "\n").count == Self.wanted.count, "\(rest.errorText)")
  }

  /// A file that journald is writing to changes while it is looked through.
  @Test(.enabled(if: PrivateJournald.isPossible, "a mount namespace and systemd-journald are needed"))
  func fileThatIsWrittenToIsNotCalledDamaged() async throws {
    let journald = try PrivateJournald()
    try journald.send("MESSAGE=first\nSYSLOG_IDENTIFIER=kata\n")
    let entries = (0..<4000).map { "MESSAGE=m \($0)\nSYSLOG_IDENTIFIER=kata\nNUMBER=\($0)\n\n" }.joined()
    async let writer: Void = journald.send(entries)
    for _ in 0..<12 {
      let result = try journald.run(
        "/bin/sh",
        [
          "-c",
          "exec '\(Tool.path)' --journal-directory /run/log/journal/* --output-format ndjson --fields msg",
        ])
      #expect(result.status == 0 && result.text.contains("first"), "\(result.errorText)")
    }
    try await writer
  }

  @Test func soundFilesAreNotCalledDamaged() throws {
    let folder = try TemporaryFolder()
    let outcome = try read(try Self.make(folder), folder)
    #expect(outcome.isWhole() && outcome.status == 0 && outcome.gaps == 0, "\(outcome.errors)")
  }
}
