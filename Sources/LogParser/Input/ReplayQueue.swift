import Bytes

/// Lines that are read again, or for the first time as parts of a longer one, before any other.
struct ReplayQueue: ~Copyable {
  private var lines: [HeldLines.Line] = []
  private var position = 0
  /// The line that was handed out last: a record may still borrow from it.
  private var current: HeldLines.Line?

  var isEmpty: Bool { position >= lines.count }

  mutating func append(_ bytes: [UInt8], _ number: UInt64) {
    ByteSlice.withCopy(of: bytes) { lines.append(HeldLines.Line($0, number)) }
  }

  mutating func next() -> HeldLines.Line? {
    guard position < lines.count else { return nil }
    current = lines[position]
    position += 1
    if position == lines.count {
      lines.removeAll()
      position = 0
    }
    return current
  }
}
