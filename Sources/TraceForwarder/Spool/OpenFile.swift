import System
import Glibc

/// An open file that several places may know, closed when the last of them lets go of it.
final class OpenFile: Sendable {
  let file: FileDescriptor

  init(_ file: consuming FileDescriptor) { self.file = file }

  var number: Int32 { file.number }

  /// Waits until what was written is on the disk; false when that fails.
  func syncData() -> Bool { fdatasync(file.number) == 0 }
}
