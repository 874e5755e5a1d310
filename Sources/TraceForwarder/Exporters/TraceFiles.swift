import Glibc
import System

/// The files of a directory that are one trace each, and those that were kept because something else changed them.
enum TraceFiles {
  private static let damaged = ".damaged"
  /// How often one trace's file is kept under another name.
  private static let damagedLimit = 9

  static func list(_ directory: String) -> [(name: String, size: Int, modified: Int)] {
    var result: [(name: String, size: Int, modified: Int)] = []
    for name in (try? DirectoryListing.names(in: directory)) ?? [] where isTrace(name) {
      var status = stat()
      guard stat("\(directory)/\(name)", &status) == 0 else { continue }
      result.append((name, Int(status.st_size), Int(status.st_mtim.tv_sec)))
    }
    return result
  }

  private static func isTrace(_ name: String) -> Bool {
    let extra = name.utf8.dropFirst(37)
    return name.utf8.count >= 37 && name.utf8.prefix(37).suffix(5).elementsEqual(".json".utf8)
      && (extra.isEmpty || extra.starts(with: damaged.utf8))
  }

  /// Gives a file another name beside its own, which is then free to be replaced; returns that name.
  static func keep(_ path: String) throws(SystemCallError) -> String {
    for number in 1...damagedLimit {
      let kept = number == 1 ? path + damaged : "\(path)\(damaged).\(number)"
      if link(path, kept) == 0 { return kept }
      guard errno == EEXIST else { throw SystemCallError("link", kept) }
    }
    throw SystemCallError("link", path + damaged, code: EEXIST)
  }

  /// Reads a file up to a size, and says which version was read.
  static func read(_ path: String, limit: Int) throws(SystemCallError) -> (bytes: [UInt8], FileVersion?) {
    let version = try FileVersion.current(path)
    let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
    let status = try file.status(path)
    guard status.isRegularFile, status.st_size <= limit else {
      throw SystemCallError("read", path, code: EFBIG)
    }
    return (try file.bytes(at: 0, count: Int(status.st_size), subject: path), version)
  }
}
