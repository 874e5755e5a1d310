import Bytes

/// Wrapped lines of logfmt, which are joined before they are read.
extension RecordReader {
  /// Whether a line may be the first part of a wrapped one, judging by the first byte of the next line.
  @inline(__always)
  func mayBeWrapped(_ line: ByteSlice, _ number: UInt64, _ lines: borrowing LineReader) -> Bool {
    if !rules.isLenient || lines.isTimeNext { return false }
    guard let next = lines.nextByte else { return false }
    return format == .auto && number != wrapped.lastTried && WrappedLine.mayBegin(line, before: next)
  }

  /// Reads lines that were joined or are read again, before any other line; nil if they produce no record.
  mutating func readWaiting(_ lines: borrowing LineReader, _ record: inout Record) -> Outcome? {
    if let waiting = objects.next() {
      let number = waiting.line
      isJoined = true
      defer { isJoined = false }
      return handle(waiting.slice, number, &record)
    }
    if let waiting = held.nextToReplay() {
      let number = waiting.line
      return handle(waiting.slice, number, &record)
    }
    if let waiting = replay.next() {
      let number = waiting.line
      let isWrapped = replay.isEmpty && mayBeWrapped(waiting.slice, number, lines)
      return readNext(waiting.slice, number, &record, isWrapped: isWrapped)
    }
    isBusy = object.isOpen || wrapped.isOpen
    return nil
  }

  /// Reads a line, or adds it to an open wrapped line.
  mutating func readNext(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record, isWrapped: Bool
  ) -> Outcome? {
    if object.isOpen { return addToObject(line, number) }
    if wrapped.isOpen {
      addToWrapped(line, number, &record)
      return nil
    }
    guard isWrapped else { return handle(line, number, &record) }
    isBusy = true
    wrapped.open(line, number)
    return nil
  }

  /// Takes the next line while a possibly wrapped one is open.
  mutating func addToWrapped(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) {
    if wrapped.isContinued(by: line) || !hasOwnRecord(line, number, &record), wrapped.add(line) { return }
    closeWrapped()
    replay.append(Array(line.bytes), number)
  }

  /// When the input pauses: ends the records whose wait for a next line has timed out. False if there are none.
  mutating func closeLate() -> Bool {
    if wrapped.isOpen {
      closeWrapped()
    } else if object.isOpen, object.isDue {
      giveUpObject()
    }
    return !objects.isEmpty || !replay.isEmpty
  }

  /// Reads the joined line.
  mutating func closeWrapped() {
    wrapped.close()
    objects.append(wrapped.bytes, wrapped.number)
  }
}
