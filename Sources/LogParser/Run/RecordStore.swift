import Bytes
import Glibc
import System

/// Records in a compact form (``StoredRecord``), in the order of reading: up to ``memoryLimit`` bytes in memory, and
/// the rest in a temporary file.
package struct RecordStore: ~Copyable {
  private static let memoryLimit = 1 << 20
  /// Room for these, and for most records that come on top.
  private static let capacity = 2 << 20

  /// The directory of the temporary file: never in memory.
  private let directory: String
  /// The file's name in messages.
  private let subject: String
  private var tail = OutputBuffer(capacity: capacity)
  private var file: FileDescriptor?
  private var fileSize = 0

  package init(directory: String) {
    self.directory = directory
    subject = "the temporary file in \(directory)"
  }

  /// The size so far in bytes, which is the offset of the next record.
  package var size: Int { fileSize + tail.count }

  /// Stores a record and returns its length.
  package mutating func append(_ record: borrowing Record) throws(SystemCallError) -> Int {
    let length = StoredRecord.encode(record, into: &tail)
    if tail.count >= Self.memoryLimit { try flush() }
    return length
  }

  /// As ``append(_:)``, for records that are sorted before they are written to the file: see ``isFull``.
  mutating func appendInMemory(_ record: borrowing Record) -> Int { StoredRecord.encode(record, into: &tail) }

  /// Whether the records in memory should be sorted and written.
  var isFull: Bool { tail.count >= Self.memoryLimit }
  /// The offset of the first record in memory.
  var memoryOffset: Int { fileSize }

  /// Reorders all records in memory in the order of `entries`, so that consecutive records can be read in one piece.
  mutating func arrange(_ entries: inout [TimeIndex.Entry]) {
    var arranged = OutputBuffer(capacity: max(tail.count, Self.capacity))
    for index in entries.indices {
      let start = entries[index].offset - fileSize
      let end = start + Int(entries[index].length)
      guard start >= 0, start <= end, end <= tail.count else { continue }
      entries[index].offset = fileSize + arranged.count
      arranged.append(UnsafeRawBufferPointer(rebasing: tail.bytes[start..<end]))
    }
    swap(&tail, &arranged)
  }

  /// Writes the records in memory to the file.
  mutating func flush() throws(SystemCallError) {
    if file == nil { file = try .temporary(in: directory) }
    try file?.writeAll(tail.bytes, subject: subject)
    fileSize += tail.count
    tail.removeAll()
  }

  /// Reads `count` bytes at `offset` into a block. What is still in memory is copied from there.
  package func read(at offset: Int, count: Int, into block: inout PageBlock) throws(SystemCallError) {
    try read([(offset, count)], count, into: &block)
  }

  /// Reads pieces with a total size of `total` bytes into a block, one after the other.
  func read(
    _ pieces: [(offset: Int, count: Int)], _ total: Int, into block: inout PageBlock
  ) throws(SystemCallError) {
    try block.fill(total) { (room) throws(SystemCallError) in
      var done = 0
      for piece in pieces where piece.count <= room.count - done {
        try read(
          at: piece.offset, into: UnsafeMutableRawBufferPointer(rebasing: room[done..<done + piece.count]))
        done += piece.count
      }
      return done
    }
  }

  private func read(at offset: Int, into room: UnsafeMutableRawBufferPointer) throws(SystemCallError) {
    guard let base = room.baseAddress else { return }
    var done = 0
    if offset < fileSize, file != nil {
      done =
        try file?.read(
          at: offset, into: base, count: min(room.count, fileSize - offset), subject: subject) ?? 0
    }
    if done < room.count {
      let start = offset + done - fileSize
      guard start >= 0, start + room.count - done <= tail.count else { throw damage }
      UnsafeMutableRawBufferPointer(rebasing: room[done...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: tail.bytes[start..<start + room.count - done]))
    }
  }

  /// Reads the head of the record at `offset`, using a block as a buffer.
  func head(at offset: Int, _ block: inout PageBlock) throws(SystemCallError) -> StoredRecord.Head {
    try read(at: offset, count: StoredRecord.Head.size, into: &block)
    var reader = SliceReader(block.slice(from: 0))
    let head = StoredRecord.head(&reader)
    if reader.isShort { throw damage }
    return head
  }

  /// The error for data that differs from what was written.
  var damage: SystemCallError { SystemCallError("read", subject, code: EIO) }
}
