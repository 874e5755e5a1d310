import CLinux
import Glibc

/// An open file with one owner, which is closed when that releases it. All are close-on-exec.
package struct FileDescriptor: ~Copyable, Sendable {
  package let number: Int32
  private let isOwned: Bool

  /// Takes ownership of an open descriptor.
  package init(owning number: Int32) {
    self.number = number
    isOwned = true
  }

  /// A descriptor that the process was started with, such as standard input; it stays open.
  package init(borrowing number: Int32) {
    self.number = number
    isOwned = false
  }

  deinit {
    if isOwned { _ = Glibc.close(number) }
  }

  package static func open(
    _ path: String, _ flags: Int32, mode: mode_t = 0
  ) throws(SystemCallError) -> FileDescriptor {
    while true {
      let number = Glibc.open(path, flags | O_CLOEXEC, mode)
      if number >= 0 { return FileDescriptor(owning: number) }
      if errno != EINTR { throw SystemCallError("open", path) }
    }
  }

  /// Opens a name in an open directory, or by its path when that is `AT_FDCWD`.
  ///
  /// - Parameter subject: the file's name in errors.
  package static func open(
    _ name: String, in directory: Int32, _ flags: Int32, mode: mode_t = 0, subject: String
  ) throws(SystemCallError) -> FileDescriptor {
    while true {
      let number = openat(directory, name, flags | O_CLOEXEC, mode)
      if number >= 0 { return FileDescriptor(owning: number) }
      if errno != EINTR { throw SystemCallError("open", subject) }
    }
  }

  /// An unnamed file in `directory`, which can be named later; nil if the file system does not support such files.
  package static func unnamed(in directory: String) -> FileDescriptor? {
    // O_TMPFILE, which Glibc's module does not import: __O_TMPFILE | O_DIRECTORY.
    let number = Glibc.open(directory, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
    return number >= 0 ? FileDescriptor(owning: number) : nil
  }

  /// An unnamed file in `directory` that is deleted when it is closed.
  package static func temporary(in directory: String) throws(SystemCallError) -> FileDescriptor {
    if let file = unnamed(in: directory) { return file }
    var template = Array("\(directory)/kata-XXXXXX".utf8CString)
    let named = mkostemp(&template, O_CLOEXEC)
    guard named >= 0 else { throw SystemCallError("create a temporary file", directory) }
    _ = unlink(template)
    return FileDescriptor(owning: named)
  }

  /// Closes the file and throws if that fails, which for a written file means lost data.
  package consuming func close(_ subject: String) throws(SystemCallError) {
    let number = self.number
    let isOwned = self.isOwned
    discard self
    if isOwned, Glibc.close(number) != 0 { throw SystemCallError("close", subject) }
  }

  /// Gives up ownership: the caller must close the number.
  package consuming func release() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  /// Hands over the open file. What stays is no open file: each call on it fails with EBADF.
  package mutating func take() -> FileDescriptor {
    var taken = FileDescriptor(borrowing: -1)
    swap(&self, &taken)
    return taken
  }

  /// Reads up to `count` bytes; 0 at the end.
  package func read(
    into target: UnsafeMutableRawPointer, count: Int, subject: String
  ) throws(SystemCallError) -> Int {
    while true {
      let got = Glibc.read(number, target, count)
      if got >= 0 { return got }
      if errno != EINTR { throw SystemCallError("read", subject) }
    }
  }

  /// Reads `count` bytes at `offset`, fewer only where the file ends.
  package func read(
    at offset: Int, into target: UnsafeMutableRawPointer, count: Int, subject: String
  ) throws(SystemCallError) -> Int {
    var done = 0
    while done < count {
      let got = pread(number, target + done, count - done, offset + done)
      if got == 0 { break }
      if got > 0 {
        done += got
      } else if errno != EINTR {
        throw SystemCallError("read", subject)
      }
    }
    return done
  }

  /// Up to `count` bytes at `offset`, fewer only where the file ends.
  package func bytes(at offset: Int, count: Int, subject: String) throws(SystemCallError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(0, count))
    let got = try read(at: offset, into: &bytes, count: bytes.count, subject: subject)
    bytes.removeLast(bytes.count - got)
    return bytes
  }

  /// Writes all bytes, waiting where the descriptor is not ready.
  package func writeAll(_ bytes: [UInt8], subject: String) throws(SystemCallError) {
    // The standard library's own access passes on untyped errors only.
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(SystemCallError) in try writeAll(bytes, subject: subject) }
    }
    try result.get()
  }

  /// Writes all bytes at `offset`, overwriting existing ones.
  package func writeAll(_ bytes: [UInt8], at offset: Int, subject: String) throws(SystemCallError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes { bytes in
        bytes.baseAddress.map { pwrite(number, $0 + done, bytes.count - done, offset + done) } ?? 0
      }
      if written > 0 {
        done += written
      } else if written == 0 {
        throw SystemCallError("write", subject, code: ENOSPC)
      } else if errno != EINTR {
        throw SystemCallError("write", subject)
      }
    }
  }

  /// Syncs written data to disk. Does nothing for pipes, terminals and file systems without a disk.
  package func sync(_ subject: String) throws(SystemCallError) {
    while fdatasync(number) != 0 {
      switch errno {
      case EINTR: continue
      case EINVAL, EROFS: return
      default: throw SystemCallError("fdatasync", subject)
      }
    }
  }

  /// Makes the descriptor another one of `other`'s file, without a moment in which it is closed and another thread
  /// could get its number.
  package func become(_ other: borrowing FileDescriptor) throws(SystemCallError) {
    guard dup3(other.number, number, O_CLOEXEC) >= 0 else {
      throw SystemCallError("dup3", "descriptor \(number)")
    }
  }

  /// Writes all bytes, waiting where the descriptor is not ready.
  package func writeAll(_ bytes: UnsafeRawBufferPointer, subject: String) throws(SystemCallError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let written = Glibc.write(number, base + done, bytes.count - done)
      if written >= 0 {
        done += written
      } else if errno == EAGAIN {
        var poll = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        _ = Glibc.poll(&poll, 1, -1)
      } else if errno != EINTR {
        throw SystemCallError("write", subject)
      }
    }
  }

  /// The file's status from the kernel.
  package func status(_ subject: String) throws(SystemCallError) -> stat {
    var result = stat()
    guard fstat(number, &result) == 0 else { throw SystemCallError("fstat", subject) }
    return result
  }
}

extension stat {
  package var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
}
