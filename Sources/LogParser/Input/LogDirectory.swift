import Glibc
import System

/// The log files in a directory.
struct LogDirectory {
  /// The paths of the log files, set by set, oldest first in each rotated set.
  private(set) var paths: [String] = []
  /// What was left out, each with the reason.
  private(set) var leftOut: [String] = []

  /// Lists a directory, not recursively. Empty files, and second names of one file, are skipped.
  ///
  /// - Parameter isFollowed: whether to list only files that are still being written.
  init(_ path: String, isFollowed: Bool) throws(InputFailure) {
    var seen: Set<String> = []
    for name in try Self.names(in: path) where !isFollowed || name.isCurrent {
      let file = "\(path == "/" ? "" : path)/\(name.name)"
      if name.name.hasPrefix(".") {
        leftOut.append("\(name.name) (hidden)")
        continue
      }
      var status = stat()
      guard stat(file, &status) == 0 else { continue }
      guard status.isRegularFile else {
        leftOut.append("\(name.name) (\(status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "no file"))")
        continue
      }
      guard status.st_size > 0 || isFollowed, seen.insert("\(status.st_dev):\(status.st_ino)").inserted
      else { continue }
      if Self.isBinary(file) {
        leftOut.append("\(name.name) (no text)")
      } else {
        paths.append(file)
      }
    }
  }

  /// A message about what was left out; nil if nothing was.
  var note: String? {
    if leftOut.isEmpty { return nil }
    let shown = leftOut.prefix(8).joined(separator: ", ")
    let more = leftOut.count > 8 ? " and \(leftOut.count - 8) more" : ""
    return "left out \(shown)\(more); name them to read them"
  }

  /// The rotated files of the set that a file belongs to, oldest first, without the file itself.
  static func rotated(_ path: String) throws(InputFailure) -> [String] {
    guard let slash = path.lastIndex(of: "/") else { return [] }
    let directory = String(path[..<slash])
    let own = RotatedName(String(path[path.index(after: slash)...]))
    return try names(in: directory.isEmpty ? "/" : directory)
      .filter { $0.base == own.base && $0.name != own.name && $0.precedes(own) }
      .map { "\(directory)/\($0.name)" }
  }

  private static func names(in path: String) throws(InputFailure) -> [RotatedName] {
    do throws(SystemCallError) {
      return try DirectoryListing.names(in: path).map(RotatedName.init).sorted { $0.precedes($1) }
    } catch {
      throw InputFailure(error)
    }
  }

  /// Whether a file contains zero bytes, which text does not. A file that cannot be opened is reported when it is read.
  private static func isBinary(_ path: String) -> Bool {
    guard let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK),
      let head = try? file.bytes(at: 0, count: 1024, subject: path)
    else { return false }
    if InputFile.isJournal(head) || Decompressor.Compression(magic: head) != nil { return isArchive(path) }
    return UTF16Decoder(head: Array(head.prefix(8))) == nil && head.contains(0)
  }

  /// Whether a compressed file is not a log but an archive of many files.
  private static func isArchive(_ path: String) -> Bool {
    path.contains(".tar.") || path.hasSuffix(".tgz") || path.hasSuffix(".txz")
  }
}
