import Bytes

/// Encoded records that are sent together, and sent again byte for byte until a receiver has acknowledged them.
///
/// A chunk never changes. Its halves share its bytes, so nothing is encoded twice.
package struct Chunk: Sendable {
  /// The id that the receiver repeats in its acknowledgement; unique, and the same each time the chunk is sent.
  package let id: String
  /// The input position that is reached once this chunk and all before it are acknowledged, in a form that only the
  /// sender interprets. Nil if no position was marked at the end of the chunk.
  package let position: String?
  /// The bytes of all entries of the chunk that this is part of, and the offset at which each entry ends.
  private let bytes: [UInt8]
  private let ends: [Int]
  /// Which of the entries belong to this chunk.
  private let entries: Range<Int>

  /// - Parameters:
  ///   - bytes: the entries, one after another.
  ///   - ends: the offset at which each entry ends, in order; the last is the number of bytes.
  package init(id: String, bytes: [UInt8], ends: [Int], position: String?) {
    self.init(id: id, position: position, bytes: bytes, ends: ends, entries: 0..<ends.count)
  }

  private init(id: String, position: String?, bytes: [UInt8], ends: [Int], entries: Range<Int>) {
    self.id = id
    self.position = position
    self.bytes = bytes
    self.ends = ends
    self.entries = entries
  }

  /// The number of entries.
  package var count: Int { entries.count }

  /// The bytes of all entries together.
  package var size: Int { end(entries.upperBound) - end(entries.lowerBound) }

  private func end(_ entry: Int) -> Int { entry == 0 ? 0 : ends[entry - 1] }

  /// The entries' bytes, one after another.
  package func withPayload<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withPart(end(entries.lowerBound)..<end(entries.upperBound), body)
  }

  /// The bytes of one entry, counted from 0.
  package func withEntry<Result, Failure: Error>(
    _ index: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let entry = entries.lowerBound + index
    return try bytes.withPart(end(entry)..<end(entry + 1), body)
  }

  /// The two halves, with new ids; nil for a single entry. The second half has the position.
  package func halved(_ makeID: () -> String) -> (Chunk, Chunk)? {
    guard count > 1 else { return nil }
    let middle = entries.lowerBound + count / 2
    func part(_ entries: Range<Int>, _ position: String?) -> Chunk {
      Chunk(id: makeID(), position: position, bytes: bytes, ends: ends, entries: entries)
    }
    return (part(entries.lowerBound..<middle, nil), part(middle..<entries.upperBound, position))
  }
}
