import Bytes
import Glibc
import System

/// The journal files that libsystemd has open. It silently closes a file that it cannot continue to read, and does not
/// report one that was truncated.
struct OpenJournalFiles {
  /// The identity of a file, which survives renaming, as journald does with a full one.
  private struct Identity: Hashable {
    var device: dev_t
    var number: ino_t
  }

  private struct File {
    var path: String
    /// The largest size that was seen.
    var size: Int
    /// Whether a truncation was reported.
    var isReported = false
  }

  private var files: [Identity: File]

  /// Those that are open now.
  init() { files = Self.find() }

  /// Nothing open.
  static var none: OpenJournalFiles { OpenJournalFiles(files: [:]) }

  private init(files: [Identity: File]) { self.files = files }

  /// The paths of files that were closed, and of those that were truncated, since the last call.
  mutating func takeLosses() -> (dropped: [String], cut: [String]) {
    var now = Self.find()
    var (dropped, cut): ([String], [String]) = ([], [])
    for (identity, file) in files {
      guard let current = now[identity] else {
        if Self.isCut(file, identity) { cut.append(file.path) } else { dropped.append(file.path) }
        continue
      }
      if file.isReported {
        now[identity]?.isReported = true
      } else if current.size < file.size, Self.isCut(file, identity) {
        cut.append(file.path)
        now[identity]?.isReported = true
      }
    }
    files = now
    return (dropped.sorted(), cut.sorted())
  }

  /// Updates the list after files were added or removed, as when journald rotates and removes them.
  mutating func refresh() {
    var now = Self.find()
    for (identity, file) in files {
      guard let current = now[identity] else { continue }
      now[identity]?.size = max(file.size, current.size)
      now[identity]?.isReported = file.isReported
    }
    files = now
  }

  /// Whether one of the files was truncated.
  var hasCut: Bool { files.contains { Self.isCut($0.value, $0.key) } }

  /// Whether a file is shorter than its header says; false for a file that has since been renamed.
  private static func isCut(_ file: File, _ identity: Identity) -> Bool {
    guard let descriptor = try? FileDescriptor.open(file.path, O_RDONLY | O_NONBLOCK),
      let status = try? descriptor.status(file.path), status.st_dev == identity.device,
      status.st_ino == identity.number
    else { return false }
    // https://systemd.io/JOURNAL_FILE_FORMAT/#header: header_size and arena_size.
    var head = [UInt8](repeating: 0, count: 104)
    let count = head.count
    guard let got = try? descriptor.read(at: 0, into: &head, count: count, subject: file.path), got == count
    else { return true }
    let sizes = [88, 96].map { head.little(UInt64.self, at: $0) ?? 0 }
    let (stated, overflows) = sizes[0].addingReportingOverflow(sizes[1])
    return overflows || stated > UInt64(clamping: status.st_size)
  }

  private static func find() -> [Identity: File] {
    let directory = "/proc/self/fd"
    var files: [Identity: File] = [:]
    for name in (try? DirectoryListing.names(in: directory)) ?? [] {
      var path = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("\(directory)/\(name)", &path, path.count)
      guard count > 0 else { continue }
      var text = String(decoding: path[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // A removed file is still read.
      if text.hasSuffix(" (deleted)") { text.removeLast(10) }
      if text.hasSuffix(".journal") || text.hasSuffix(".journal~") {
        var status = stat()
        guard let number = Int32(name), fstat(number, &status) == 0 else { continue }
        files[Identity(device: status.st_dev, number: status.st_ino)] = File(
          path: text, size: Int(status.st_size))
      }
    }
    return files
  }
}
