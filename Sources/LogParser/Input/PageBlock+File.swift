import Bytes
import System

extension PageBlock {
  /// Replaces the contents of the block with `count` bytes of a file at `offset`, fewer only at the end of the file.
  mutating func read(
    _ file: borrowing FileDescriptor, at offset: Int, count: Int, subject: String
  ) throws(SystemCallError) {
    try fill(count) { (room) throws(SystemCallError) in
      guard let base = room.baseAddress else { return 0 }
      return try file.read(at: offset, into: base, count: room.count, subject: subject)
    }
  }
}
