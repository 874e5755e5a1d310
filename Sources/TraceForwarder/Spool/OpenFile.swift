import Glibc
import System

/// An open file that several places may know, closed when the last of them lets go of it.
final class OpenFile: Sendable {
  let file: FileDescriptor

  init(_ file: consuming FileDescriptor) { self.file = file }

  var number: Int32 { file.number }

  /// Up to `count` bytes at an offset, fewer only where the file ends. `path` is for messages.
  func bytes(at offset: Int, _ count: Int, _ path: String) throws(SystemCallError) -> [UInt8] {
    try file.bytes(at: offset, count: count, subject: path)
  }

  /// Waits until what was written is on the disk; false when that fails.
  func syncData() -> Bool { fdatasync(file.number) == 0 }
}
