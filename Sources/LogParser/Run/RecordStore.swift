import Bytes
import System
import Glibc

/// Records in a compact form (``StoredRecord``), in the order in which they were read: in memory while they are few, in a
/// temporary file beyond that. It holds ``memoryLimit`` bytes in memory, whatever it has taken.
package struct RecordStore: ~Copyable {
  private static let memoryLimit = 1 << 20

  /// Where the temporary file is made: never in memory.
  private let directory: String
  /// What messages call the file.
  private let subject: String
  private var tail = OutputBuffer(capacity: 2 << 20)
  private var file: FileDescriptor?
  private var fileSize = 0

  package init(directory: String) {
    self.directory = directory
    subject = "the temporary file in \(directory)"
  }

  /// The number of bytes taken so far: where the next record will be.
  package var size: Int { fileSize + tail.count }

  /// Stores a record and returns its length.
  package mutating func append(_ record: borrowing Record) throws(SystemCallError) -> Int {
    let length = StoredRecord.encode(record, into: &tail)
    if tail.count >= Self.memoryLimit { try flush() }
    return length
  }

  private mutating func flush() throws(SystemCallError) {
    if file == nil { file = try .temporary(in: directory) }
    try file?.writeAll(tail.bytes, subject: subject)
    fileSize += tail.count
    tail.removeAll()
  }

  /// Reads `count` bytes at `offset` into a block. What is still in memory is copied from there.
  package func read(at offset: Int, count: Int, into block: inout PageBlock) throws(SystemCallError) {
    try block.fill(count) { (room) throws(SystemCallError) in
      guard let base = room.baseAddress else { return 0 }
      var done = 0
      if offset < fileSize, file != nil {
        done =
          try file?.read(at: offset, into: base, count: min(count, fileSize - offset), subject: subject) ?? 0
      }
      if done < count {
        let start = offset + done - fileSize
        guard start >= 0, start + count - done <= tail.count else { throw damage }
        UnsafeMutableRawBufferPointer(rebasing: room[done...]).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: tail.bytes[start..<start + count - done]))
      }
      return count
    }
  }

  /// Reads the head of the record at `offset`, by way of a block.
  func head(at offset: Int, _ block: inout PageBlock) throws(SystemCallError) -> StoredRecord.Head {
    try read(at: offset, count: StoredRecord.Head.size, into: &block)
    var reader = SliceReader(block.slice(from: 0))
    let head = StoredRecord.head(&reader)
    if reader.isShort { throw damage }
    return head
  }

  /// For what cannot be what was written.
  var damage: SystemCallError { SystemCallError("read", subject, code: EIO) }
}
