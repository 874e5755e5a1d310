import Foundation
import TestSupport
import Testing

/// Journal files that are empty, compressed, or cut short while they are read.
@Suite(.ownThreads) struct JournalCutTests {
  private static func make(_ numbers: Range<Int>, _ folder: TemporaryFolder, _ name: String) throws -> String
  {
    let padding = String(repeating: "x", count: 200)
    return try Journal.make(
      numbers.map {
        Journal.entry(
          $0,
          Journal.text([
            ("MESSAGE", "m \($0) \(padding)"), ("SYSLOG_IDENTIFIER", "kata"), ("NUMBER", "\($0)"),
          ]))
      }, in: folder, name: name)
  }

  /// The numbers of the records; -1 for one that none wrote.
  private static func numbers(_ lines: [String]) -> [Int] {
    lines.map { line in
      let record = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let number = (record?["number"] as? String).flatMap({ Int($0) }),
        (record?["msg"] as? String)?.hasPrefix("m \(number) x") == true
      else { return -1 }
      return number
    }
  }

  private static let options = ["--output-format", "ndjson", "--fields", "number,msg", "--stats"]

  @Test func emptyFileLeavesTheOthers() throws {
    let folder = try TemporaryFolder()
    let good = try Self.make(0..<100, folder, "good.journal")
    let empty = try folder.write("empty.journal", "")
    for files in [[good, empty], [empty, good]] {
      let result = try Tool.run(files.flatMap { ["--journal-file", $0] } + Self.options)
      #expect(Self.numbers(result.text.split(separator: "\n").map(String.init)) == Array(0..<100))
      #expect(
        result.status == 1 && result.errorText.contains("error: \(empty): the journal file is empty;"),
        "\(result.errorText)")
    }
  }

  /// In a directory journald may have made it a moment ago, which is no error.
  @Test func emptyFileOfADirectoryLeavesDamagedOnes() throws {
    let folder = try TemporaryFolder()
    _ = try Self.make(0..<100, folder, "good.journal")
    let damaged = try Self.make(200..<400, folder, "damaged.journal")
    _ = try folder.write("empty.journal", "")
    let size = try Data(contentsOf: URL(fileURLWithPath: damaged)).count
    #expect(truncate(damaged, off_t(size / 2)) == 0)
    let result = try Tool.run(["--journal-directory", folder.url.path] + Self.options)
    let numbers = Self.numbers(result.text.split(separator: "\n").map(String.init))
    #expect(Set(numbers).isSuperset(of: 0..<100), "\(result.errorText)")
    #expect(
      result.status == 1 && result.errorText.contains(damaged) && !result.errorText.contains("empty.journal"))
  }

  @Test(arguments: ["gzip", "xz", "zstd"], ["file", "pipe"])
  func compressedJournalNamesTheRemedy(_ tool: String, _ way: String) throws {
    let folder = try TemporaryFolder()
    let journal = try Self.make(0..<60, folder, "a.journal")
    let packed = folder.url.path + "/packed"
    #expect(try Tool.run("/bin/sh", ["-c", "\(tool) -c '\(journal)' >'\(packed)'"]).status == 0)
    let result =
      way == "file"
      ? try Tool.run([packed])
      : try Tool.run("/bin/sh", ["-c", "cat '\(packed)' | '\(Tool.path)' -"])
    #expect(result.status == 1 && result.output.isEmpty)
    for part in ["a journal file compressed with \(tool)", "\(tool) -dc", "--journal-file"] {
      #expect(result.errorText.contains(part), "\(result.errorText)")
    }
  }

  /// libsystemd has the file mapped, and what it reads there next is gone.
  @Test(arguments: [0, 1, 30, 50, 90], [["--reorder-window", "0"], ["--follow"]])
  func fileThatIsCutWhileItIsReadIsNamed(_ percent: Int, _ mode: [String]) throws {
    let folder = try TemporaryFolder()
    let cut = try Self.make(0..<4000, folder, "cut.journal")
    let good = try Self.make(9000..<9100, folder, "good.journal")
    let errors = folder.url.path + "/err"
    let run = try PipedRun(
      ["--journal-file", cut, "--journal-file", good] + Self.options + mode, errors: errors)
    // The pipe is full: the run stands in the middle.
    #expect(run.waits { run.unread > 32 << 10 })
    let size = try Data(contentsOf: URL(fileURLWithPath: cut)).count
    #expect(truncate(cut, off_t(size / 100 * percent)) == 0)
    var numbers: [Int] = []
    if mode == ["--follow"] {
      #expect(
        run.waits {
          run.readWaiting()
          let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
          return text.contains("cut.journal") && run.lines.last?.contains("m 9099 ") == true
        })
      run.signal(SIGTERM)
    } else {
      run.read()
    }
    let status = run.status()
    numbers = Self.numbers(run.lines)
    let text = try String(contentsOfFile: errors, encoding: .utf8)
    #expect(status == 1, "\(text)")
    #expect(!numbers.contains(-1) && Array(numbers.suffix(100)) == Array(9000..<9100), "\(text)")
    #expect(text.contains("error: \(cut): the journal file was truncated while it was read"), "\(text)")
    #expect(text.split(separator: "\n").filter { $0.contains(": error: ") }.count == 1, "\(text)")
    #expect(text.contains("\"failed_inputs\":1,") && !text.contains("\"journal_gaps\":0,"), "\(text)")
  }

  /// Zeros in a field are none of a file that was cut, and SIGBUS from elsewhere still ends the process.
  @Test func zerosInAFieldAreKept() throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.make(
      [Journal.entry(0, [("MESSAGE", Data("a\0b".utf8)), ("SYSLOG_IDENTIFIER", Data("kata".utf8))])],
      in: folder)
    let result = try Tool.run(["--journal-file", journal, "--output-format", "ndjson", "--fields", "msg"])
    #expect(result.status == 0 && result.text == "{\"msg\":\"a\\u0000b\"}\n", "\(result.errorText)")
  }

  @Test func signalFromElsewhereStillEndsTheRun() throws {
    let folder = try TemporaryFolder()
    let journal = try Self.make(0..<100, folder, "a.journal")
    let run = try PipedRun(["--journal-file", journal, "--follow"] + Self.options)
    #expect(run.waits { run.unread > 0 })
    run.signal(SIGBUS)
    #expect(run.status() == -SIGBUS)
  }
}
