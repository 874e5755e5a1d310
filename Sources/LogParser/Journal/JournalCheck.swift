import Bytes
import Glibc
import System

/// Determines which of the user's files are damaged, before they are read.
///
/// libsystemd drops a damaged file at the first bad place, and misses entries that the file's indexes no longer reach;
/// it reports neither. So every file is scanned once, and compared with the number of entries that libsystemd finds.
struct JournalCheck {
  private static let windowSize = 1 << 20

  /// A damaged file, and its readable entries.
  struct Damage {
    var path: String
    var entries: ArraySlice<JournalFileScan.Entry>
    /// Entries that cannot be read, or not completely.
    var missing: UInt64
    var failure: InputFailure
  }

  /// Files for libsystemd to read.
  private(set) var sound: [String] = []
  private(set) var damaged: [Damage] = []

  /// Scans the files of a journal; those without an entry in the wanted time are skipped.
  ///
  /// - Parameter cursor: the last entry that was read by an earlier run.
  static func run(
    _ options: JournalOptions, since: Timestamp?, until: Timestamp?, cursor: String?
  ) throws(JournalError) -> JournalCheck {
    var check = JournalCheck()
    let paths: [String]
    switch options.location {
    case .local, .merged: return check
    case .files(let files): paths = files
    case .directory(let directory): paths = files(in: directory)
    }
    let place = cursor.flatMap { JournalPlace($0) }
    let first = max(since.map(JournalReader.microseconds) ?? 0, place?.time ?? 0)
    let last = until.map(JournalReader.microseconds) ?? .max
    let conditions = try JournalMatches.conditions(options, JournalReader.subject(of: options.location))
    for path in paths {
      guard var file = try? JournalFileBytes(path, windowSize: windowSize) else {
        check.take(unreadable: path, options.location, isAlone: paths.count == 1)
        continue
      }
      if file.lastTime >= file.firstTime, file.lastTime < first || file.firstTime > last {
        check.sound.append(path)
        continue
      }
      guard let scan = try damage(of: &file, conditions) else {
        check.sound.append(path)
        continue
      }
      let sequence = DamagedJournal.hexadecimal(file.sequence)
      let entries = scan.entries.filter { entry in
        guard entry.time >= first, entry.time <= last else { return false }
        return place.map { $0.sequence != sequence || entry.number > $0.number } ?? true
      }
      check.damaged.append(
        Damage(
          path: path, entries: options.lines.map { entries.suffix($0) } ?? entries[...],
          missing: UInt64(max(scan.missing, 0)),
          failure: InputFailure(
            "\(path): the journal file is damaged: \(scan.total - scan.missing) of \(scan.total) entries can be read whole; keep a copy and see journalctl --verify --file \(path)",
            isPartial: true)))
    }
    return check
  }

  /// The damage of a file; nil if it is sound.
  private static func damage(
    of file: inout JournalFileBytes, _ conditions: JournalConditions
  ) throws(JournalError) -> JournalFileScan? {
    var attempt = 0
    while true {
      attempt += 1
      let scan = JournalFileScan(&file, conditions)
      let wanted = scan.entries.count
      let count = scan.isWhole ? try JournalReader.count(file.path, conditions, limit: wanted) : nil
      if count == wanted { return nil }
      // journald may be writing to the file: a half-written object is checked again.
      guard attempt < 4, let again = try? JournalFileBytes(file.path, windowSize: windowSize),
        again.entryCount != file.entryCount || again.tailOffset != file.tailOffset
      else { return scan }
      if let count, count > wanted { return nil }
      file = again
    }
  }

  /// Handles a file that cannot be scanned as a journal file.
  private mutating func take(unreadable path: String, _ location: JournalOptions.Location, isAlone: Bool) {
    let failure: InputFailure
    do throws(SystemCallError) {
      let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
      let size = try file.status(path).st_size
      // For a single file, libsystemd says why it cannot be read, and a file that is too large it reads by itself.
      if isAlone || size > JournalFileBytes.sizeLimit { return sound.append(path) }
      if size == 0 {
        // journald has only just created an empty file in this directory, and libsystemd cannot open such a file.
        if case .directory = location { return }
        failure = InputFailure("\(path): the journal file is empty; leave it out, the other files are read")
      } else {
        failure = InputFailure(
          "\(path): not a journal file, or its header is damaged; the other files are read")
      }
    } catch {
      if isAlone { return sound.append(path) }
      failure = InputFailure(error)
    }
    damaged.append(Damage(path: path, entries: [], missing: 1, failure: failure))
  }

  /// The journal files of a directory and of the machine directories in it, as libsystemd finds them.
  private static func files(in directory: String) -> [String] {
    var paths: [String] = []
    for name in (try? DirectoryListing.names(in: directory)) ?? [] {
      let path = "\(directory)/\(name)"
      if isJournal(name) {
        paths.append(path)
      } else if name.utf8.count >= 32 {
        for file in (try? DirectoryListing.names(in: path)) ?? [] where isJournal(file) {
          paths.append("\(path)/\(file)")
        }
      }
    }
    return paths.sorted()
  }

  private static func isJournal(_ name: String) -> Bool {
    name.hasSuffix(".journal") || name.hasSuffix(".journal~")
  }
}

/// The parts of a journal cursor: the journal's sequence id, the entry's number in it and its time.
struct JournalPlace {
  var sequence = ""
  var number: UInt64 = 0
  var time: UInt64 = 0
  /// Of all fields, each by itself and then joined by exclusive or.
  var hash: UInt64 = 0

  init?(_ cursor: String) {
    for part in cursor.split(separator: ";") {
      let value = part.dropFirst(2)
      if part.hasPrefix("s=") { sequence = String(value) }
      if part.hasPrefix("i="), let number = UInt64(value, radix: 16) { self.number = number }
      if part.hasPrefix("t="), let time = UInt64(value, radix: 16) { self.time = time }
      if part.hasPrefix("x="), let hash = UInt64(value, radix: 16) { self.hash = hash }
    }
    if sequence.isEmpty { return nil }
  }
}
