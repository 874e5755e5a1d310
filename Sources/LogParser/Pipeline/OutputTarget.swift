import Basics
import CLinux
import Glibc

/// Where results go: standard output, or a file that appears only when it is complete.
package struct OutputTarget: ~Copyable {
  private let file: FileDescriptor
  private let path: String?
  private let temporaryPath: String?
  /// Whether the reader has gone away; what is written after that is dropped in silence.
  package private(set) var isClosedByReader = false
  private var isDiscarding = false
  /// What stands between the results and a terminal; nil when they go elsewhere.
  private var filter: TerminalFilter?

  package static func standardOutput() -> OutputTarget {
    OutputTarget(file: FileDescriptor(borrowing: STDOUT_FILENO), path: nil, temporaryPath: nil)
  }

  /// A file that is written beside `path` and renamed to it by ``finish()``; without that call it is removed.
  ///
  /// A path that exists and is no regular file (`/dev/null`, a FIFO) is written to as it is.
  package static func file(_ path: String, mode: mode_t) throws(SystemCallError) -> OutputTarget {
    var existing = stat()
    if stat(path, &existing) == 0, !existing.isRegularFile {
      return OutputTarget(file: try .open(path, O_WRONLY), path: nil, temporaryPath: nil)
    }
    // A link is followed, so that the file it names is replaced and the link stays.
    var target = path
    if let resolved = realpath(path, nil) {
      target = String(cString: resolved)
      free(resolved)
    }
    let directory =
      target.lastIndex(of: "/").map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
    // A file without a name, which even a killed process leaves nothing of; where the file system has none, one with a
    // name of its own.
    if let unnamed = FileDescriptor.unnamed(in: directory) {
      _ = fchmod(unnamed.number, mode)
      return OutputTarget(file: unnamed, path: target, temporaryPath: nil)
    }
    var template = Array("\(target).XXXXXX".utf8CString)
    let number = mkostemp(&template, O_CLOEXEC)
    guard number >= 0 else { throw SystemCallError("create", target) }
    let name = template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { String(cString: $0) } ?? ""
    }
    _ = fchmod(number, mode)
    return OutputTarget(file: FileDescriptor(owning: number), path: target, temporaryPath: name)
  }

  /// Takes everything and writes nothing.
  package static func nowhere() -> OutputTarget {
    var target = standardOutput()
    target.isDiscarding = true
    return target
  }

  private init(file: consuming FileDescriptor, path: String?, temporaryPath: String?) {
    self.file = file
    self.path = path
    self.temporaryPath = temporaryPath
  }

  deinit {
    if let temporaryPath { _ = unlink(temporaryPath) }
  }

  /// From now on, what goes to a terminal is text that it shows and does not obey: see ``TerminalText``. Files and pipes
  /// get the bytes as they are.
  package mutating func protectTerminal() {
    if Terminal(file.number).isTerminal { filter = TerminalFilter() }
  }

  /// Writes everything. A reader that has closed its end is no error: see ``isClosedByReader``.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    if isClosedByReader || isDiscarding { return }
    guard filter != nil else { return try writeAll(bytes) }
    var safe: [UInt8] = []
    safe.reserveCapacity(bytes.count)
    filter?.append(bytes, to: &safe)
    try safe.withBytes { (safe) throws(SystemCallError) in try writeAll(safe) }
  }

  private mutating func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    do throws(SystemCallError) {
      try file.writeAll(bytes, subject: path ?? "standard output")
    } catch {
      guard error.code == EPIPE else { throw error }
      isClosedByReader = true
    }
  }

  /// Writes the bytes of a character that never ended.
  private mutating func endFilter() throws(SystemCallError) {
    var rest: [UInt8] = []
    filter?.finish(to: &rest)
    filter = nil
    if isClosedByReader || isDiscarding { return }
    try rest.withBytes { (rest) throws(SystemCallError) in try writeAll(rest) }
  }

  /// Makes the result complete: a file gets its name.
  ///
  /// - Parameter isDurable: whether the file's bytes are on disk before its name is.
  package consuming func finish(isDurable: Bool = false) throws(SystemCallError) {
    if filter != nil { try endFilter() }
    guard let path else { return }
    if isDurable, fdatasync(file.number) != 0 { throw SystemCallError("fdatasync", path) }
    if let temporaryPath {
      guard rename(temporaryPath, path) == 0 else { throw SystemCallError("rename", path) }
      return
    }
    // linkat(2) replaces nothing: the file is named beside the one that it replaces, then renamed.
    for attempt in 0..<100 {
      let name = "\(path).\(getpid()).\(attempt)"
      if linkat(AT_FDCWD, "/proc/self/fd/\(file.number)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 {
        guard rename(name, path) == 0 else {
          let error = SystemCallError("rename", path)
          _ = unlink(name)
          throw error
        }
        return
      }
      if errno != EEXIST { throw SystemCallError("link", path) }
    }
    throw SystemCallError("link", path, code: EEXIST)
  }
}
