import Bytes

/// Lines of logfmt that were wrapped: they are joined before they are read.
extension RecordReader {
  /// Whether a line may be the beginning of one that was wrapped, by the first byte of the next one.
  @inline(__always)
  func mayBeWrapped(_ line: ByteSlice, _ number: UInt64, _ lines: borrowing LineReader) -> Bool {
    guard rules.isLenient, let next = lines.nextByte, next != UInt8(ascii: "t") else { return false }
    return format == .auto && number != wrapped.lastTried && WrappedLine.mayBegin(line, before: next)
  }

  /// Takes the next line where one is open that may have been wrapped.
  mutating func addToWrapped(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) {
    if !hasOwnRecord(line, number, &record), wrapped.add(line) { return }
    closeWrapped()
    replay.append(Array(line.bytes), number)
  }

  /// Where the input pauses: ends what has waited for its next line long enough. False when there is nothing.
  mutating func closeLate() -> Bool {
    if wrapped.isOpen {
      closeWrapped()
    } else if object.isOpen, object.isDue {
      giveUpObject()
    }
    return !objects.isEmpty || !replay.isEmpty
  }

  /// Reads what was joined.
  mutating func closeWrapped() {
    wrapped.close()
    objects.append(wrapped.bytes, wrapped.number)
  }
}
