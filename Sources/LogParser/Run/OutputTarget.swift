import Bytes
import CLinux
import Glibc
import System

/// The destination of results: standard output, or a file that appears only when it is complete.
package struct OutputTarget: ~Copyable {
  private let file: FileDescriptor
  private let path: String?
  private let temporaryPath: String?
  /// Whether the reader has closed the output; later writes are silently dropped.
  package private(set) var isClosedByReader = false
  /// Whether the user ended the run while a slow reader blocked it; later writes are dropped.
  package private(set) var isStopped = false
  private var isDiscarding = false
  /// Filters results for a terminal; nil for other outputs.
  private var filter: TerminalFilter?

  package static func standardOutput() -> OutputTarget {
    OutputTarget(file: FileDescriptor(borrowing: STDOUT_FILENO), path: nil, temporaryPath: nil)
  }

  /// A file that is written next to `path` and renamed to it by ``finish(isDurable:)``; without that call it is
  /// removed.
  ///
  /// An existing path that is not a regular file (`/dev/null`, a FIFO) is written to directly.
  package static func file(_ path: String, mode: mode_t) throws(SystemCallError) -> OutputTarget {
    var existing = stat()
    if stat(path, &existing) == 0, !existing.isRegularFile {
      return OutputTarget(file: try .open(path, O_WRONLY), path: nil, temporaryPath: nil)
    }
    // A link is followed, so that its target is replaced and the link stays.
    var target = path
    if let resolved = realpath(path, nil) {
      target = String(cString: resolved)
      free(resolved)
    }
    let directory = AtomicFile.directoryName(of: target)
    // An unnamed file, of which nothing is left even if the process is killed; a named one if the file system does not
    // support that.
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

  /// A target that drops everything.
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

  /// From now on, makes control characters visible if the target is a terminal: see ``TerminalText``. Files and pipes
  /// get the original bytes.
  package mutating func protectTerminal() {
    if Terminal(file.number).isTerminal { filter = TerminalFilter() }
  }

  /// Writes everything. A closed pipe is not an error: see ``isClosedByReader``.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    if isClosed || isDiscarding { return }
    guard filter != nil else { return try writeAll(bytes) }
    var safe: [UInt8] = []
    safe.reserveCapacity(bytes.count)
    filter?.append(bytes, to: &safe)
    try safe.withBytes { (safe) throws(SystemCallError) in try writeAll(safe) }
  }

  private mutating func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    do throws(SystemCallError) {
      try file.writeAll(bytes, subject: subject)
    } catch {
      guard error.code == EPIPE else { throw error }
      isClosedByReader = true
    }
  }

  /// Writes the bytes of an incomplete last character.
  private mutating func endFilter() throws(SystemCallError) {
    var rest: [UInt8] = []
    filter?.finish(to: &rest)
    filter = nil
    if isClosed || isDiscarding { return }
    try rest.withBytes { (rest) throws(SystemCallError) in try writeAll(rest) }
  }

  private var subject: String { path ?? "standard output" }

  /// Whether nothing more is written: see ``isClosedByReader`` and ``isStopped``.
  package var isClosed: Bool { isClosedByReader || isStopped }

  /// Whether written data can be read before ``finish(isDurable:)`` is called.
  var isVisible: Bool { path == nil }

  /// The reader of the output, valid while this target is open.
  var reader: OutputReader { OutputReader(file.number) }

  /// As ``write(_:)``, but gives up when `stop` becomes readable while the reader of a pipe or a socket is behind.
  mutating func write(_ bytes: UnsafeRawBufferPointer, orStop stop: Int32) throws(SystemCallError) {
    var done = 0
    while done < bytes.count, !isClosed {
      var files = [
        pollfd(fd: file.number, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
      ]
      if poll(&files, 2, -1) < 0 {
        if errno == EINTR { continue }
        throw SystemCallError("poll", subject)
      }
      guard files[0].revents != 0 else {
        isStopped = true
        return
      }
      // A write of this size never blocks on a ready descriptor: https://man7.org/linux/man-pages/man7/pipe.7.html,
      // PIPE_BUF.
      let piece = min(4096, bytes.count - done)
      try write(UnsafeRawBufferPointer(rebasing: bytes[done..<done + piece]))
      done += piece
    }
  }

  /// Ends a line that an earlier run left unfinished at the end of a file to which results are appended.
  ///
  /// A full disk or a killed process leaves such a line. Its record is written again, and must not be joined to it.
  mutating func startLine() throws(SystemCallError) {
    guard isVisible, fcntl(file.number, F_GETFL) & O_APPEND != 0 else { return }
    let status = try file.status(subject)
    guard status.isRegularFile, status.st_size > 0 else { return }
    // The descriptor may be write-only.
    guard let reading = try? FileDescriptor.open("/proc/self/fd/\(file.number)", O_RDONLY) else { return }
    var last: UInt8 = 0
    let count = try reading.read(at: Int(status.st_size) - 1, into: &last, count: 1, subject: subject)
    guard count == 1, last != UInt8(ascii: "\n") else { return }
    try [UInt8(ascii: "\n")].withBytes { (bytes) throws(SystemCallError) in try write(bytes) }
  }

  /// Syncs the output to disk if it is a file.
  func sync() throws(SystemCallError) {
    guard try file.status(subject).isRegularFile else { return }
    guard fdatasync(file.number) == 0 else { throw SystemCallError("fdatasync", subject) }
  }

  /// Makes the result complete and durable: a file is on disk under its name, or a reader has read everything.
  ///
  /// - Parameter stop: a descriptor that ends the wait for the reader when it becomes readable.
  /// - Returns: false if the reader exited before it had read everything, or the wait was ended.
  consuming func deliver(orStop stop: Int32? = nil) throws(SystemCallError) -> Bool {
    if isClosed { return false }
    guard reader.waitUntilRead(orStop: stop) else { return false }
    try finish(isDurable: true)
    return true
  }

  /// Makes the result complete: gives a file its name.
  ///
  /// - Parameter isDurable: whether to sync the file's bytes before it gets its name, and the name before this returns.
  package consuming func finish(isDurable: Bool = false) throws(SystemCallError) {
    if filter != nil { try endFilter() }
    if isDurable { try sync() }
    guard let path else { return }
    try giveName(path)
    if isDurable { try AtomicFile.syncDirectory(of: path) }
  }

  private func giveName(_ path: String) throws(SystemCallError) {
    if let temporaryPath {
      guard rename(temporaryPath, path) == 0 else { throw SystemCallError("rename", path) }
      return
    }
    try AtomicFile.name(file, path)
  }
}
