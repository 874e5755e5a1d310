import Bytes
import Glibc
import System

/// Cuts a byte stream into lines: framing, apart from what the lines say.
///
/// It holds one block that is refilled; a line longer than the limit is skipped and reported by its length, so that
/// no input makes it grow beyond the limit plus one read.
package struct LineReader: ~Copyable {
  /// The default number of bytes per read.
  package static let defaultChunkSize = 256 << 10

  package enum Line {
    /// A line without its line end; valid until the next call.
    case text(ByteSlice)
    /// A line over the limit, whose bytes were dropped.
    case tooLong(count: Int)
    /// Nothing can be read at present, and the caller has to wait; see ``waitUntilReadable(orFor:_:)``.
    case pause
    case end
  }

  private let file: FileDescriptor
  private let subject: String
  private let limit: Int
  private let waitsForLineEnd: Bool
  private let chunkSize: Int
  let tellsPauses: Bool
  private let isEndSound: (() -> Bool)?
  private let buffer: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private var start = 0
  private var scanned = 0
  private var filled = 0
  private var isAtEnd = false
  /// Why the stream ended early; the complete lines before that were handed out.
  package private(set) var failure: SystemCallError?
  /// Bytes of a line over the limit that were already dropped.
  private var dropped = 0
  /// The offset in the stream of the byte at index 0 of the buffer.
  private var bufferOffset = 0
  /// For a regular file that is followed.
  private var check: TruncationCheck?
  /// Whether the file no longer contains what was read from it: no lines are returned until ``restart()`` is called.
  private(set) var isTruncated = false
  /// Whether leading zeros are skipped.
  private var skipsZeros = false
  /// Whether the next bytes are the first of the text, which may be a byte order mark.
  private var isAtStart = true
  private let keepsMark: Bool
  /// For UTF-16 text.
  private var decoder: UTF16Decoder?

  /// - Parameters:
  ///   - limit: the maximum length of a line in bytes, without its line end.
  ///   - waitsForLineEnd: whether bytes at the end without a line end are not a line yet, because the file grows.
  ///   - head: the few bytes that were already read from the file.
  ///   - chunkSize: the number of bytes per read.
  ///   - place: the offset at which reading a regular file begins, to detect truncation; nil for no detection.
  ///   - tellsPauses: whether ``next()`` returns a pause instead of waiting; for a pipe, a socket or a terminal.
  ///   - keepsMark: whether a byte order mark before the runtime's own logfmt is kept: the Go tool refuses such a file.
  ///   - decoder: converts the bytes to UTF-8; nil if they are UTF-8 already.
  ///   - isEndSound: called once if the stream ends within a line: false means that the stream was cut off there, so
  ///     the incomplete line is dropped.
  package init(
    _ file: consuming FileDescriptor, subject: String, limit: Int, waitsForLineEnd: Bool = false,
    head: [UInt8] = [], chunkSize: Int = defaultChunkSize, checksFrom place: Int? = nil,
    tellsPauses: Bool = false, keepsMark: Bool = false, decoder: UTF16Decoder? = nil,
    isEndSound: (() -> Bool)? = nil
  ) {
    check = place == nil ? nil : TruncationCheck()
    bufferOffset = place ?? 0
    self.tellsPauses = tellsPauses
    self.file = file
    self.subject = subject
    self.limit = limit
    self.waitsForLineEnd = waitsForLineEnd
    self.chunkSize = chunkSize
    self.isEndSound = isEndSound
    capacity = (limit + 1 + chunkSize + 4095) & ~4095
    buffer = UnsafeMutableRawPointer.allocate(
      byteCount: capacity + ByteSlice.padding, alignment: 4096
    ).bindMemory(to: UInt8.self, capacity: capacity + ByteSlice.padding)
    self.decoder = decoder
    self.keepsMark = keepsMark
    take(head: head)
    // The padding is read but not used: it only has to be readable memory.
    (buffer + capacity).initialize(repeating: 0, count: ByteSlice.padding)
  }

  deinit { buffer.deallocate() }

  private mutating func take(head: [UInt8]) {
    if head.isEmpty { return }
    filled =
      head.withUnsafeBytes { head in
        let head = UnsafeRawBufferPointer(rebasing: head.prefix(16))
        if decoder != nil { return decoder?.decode(head, into: buffer) }
        UnsafeMutableRawPointer(buffer).copyMemory(
          from: head.baseAddress ?? UnsafeRawPointer(buffer), byteCount: head.count)
        return head.count
      } ?? 0
    skipMark()
  }

  /// The size of the lines handed out so far, with their line ends.
  package var offset: Int { bufferOffset + start }

  /// The next line.
  @inline(__always)
  package mutating func next() -> Line {
    while true {
      if let newline = memchr(buffer + scanned, 0x0a, filled - scanned) {
        let end = UnsafeRawPointer(newline) - UnsafeRawPointer(buffer)
        let line = ByteSlice(base: buffer + start, count: end - start, isPlain: false)
        start = end + 1
        scanned = start
        if dropped > 0 || line.count > limit { return finishLong(line.count) }
        return .text(line)
      }
      scanned = filled
      if isAtEnd { return lastLine() }
      if tellsPauses, !isReadable { return .pause }
      refill()
    }
  }

  /// Whether a read would not block; it may fail.
  private var isReadable: Bool {
    var poll = pollfd(fd: file.number, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&poll, 1, 0) != 0
  }

  /// After ``Line/pause``: waits until there is something to read, at most `patience` milliseconds if that is not
  /// negative; false if `stop` became readable instead.
  func waitUntilReadable(orFor stop: Int32?, _ patience: Int32) throws(SystemCallError) -> Bool {
    var files = [
      pollfd(fd: file.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: stop ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    if poll(&files, 2, patience) < 0, errno != EINTR { throw SystemCallError("poll", subject) }
    return files[1].revents == 0
  }

  private mutating func finishLong(_ count: Int) -> Line {
    let total = dropped + count
    dropped = 0
    return .tooLong(count: total)
  }

  private mutating func lastLine() -> Line {
    if waitsForLineEnd { return .end }
    let line = ByteSlice(base: buffer + start, count: filled - start, isPlain: false)
    start = filled
    if dropped > 0 || line.count > limit { return finishLong(line.count) }
    return line.isEmpty ? .end : .text(line)
  }

  /// Moves the unfinished line to the front and reads after it, at a page-aligned address if the line is short.
  private mutating func refill() {
    if filled - start > limit {
      dropped += filled - start
      start = filled
    }
    let left = filled - start
    // The unfinished line ends at a page boundary, so that the read begins at one.
    let target = min((left + 4095) & ~4095, capacity - chunkSize)
    let newStart = max(0, target - left)
    if left > 0 { memmove(buffer + newStart, buffer + start, left) }
    bufferOffset += start - newStart
    start = newStart
    filled = newStart + left
    scanned = filled
    do throws(SystemCallError) {
      let got = try read(min(chunkSize, capacity - filled))
      if check != nil, try !keepsWhatWasRead(got) { return }
      filled += got
      if got == 0 { end(isSound: filled == start || isEndSound?() ?? true) }
      if skipsZeros { skipZeros() }
      if isAtStart { skipMark() }
    } catch {
      failure = error
      end(isSound: false)
    }
  }

  /// Appends at most `room` bytes of UTF-8.
  private mutating func read(_ room: Int) throws(SystemCallError) -> Int {
    if decoder != nil { return try readDecoded(room) }
    return try file.read(into: buffer + filled, count: room, subject: subject)
  }

  private mutating func readDecoded(_ room: Int) throws(SystemCallError) -> Int {
    let count = UTF16Decoder.count(in: room)
    let raw = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
    defer { raw.deallocate() }
    while true {
      let got = try file.read(into: raw, count: count, subject: subject)
      if got == 0 { return waitsForLineEnd ? 0 : decoder?.finish(into: buffer + filled) ?? 0 }
      let bytes = UnsafeRawBufferPointer(start: raw, count: got)
      if let written = decoder?.decode(bytes, into: buffer + filled), written > 0 { return written }
    }
  }

  /// Skips a byte order mark, which is not part of the first line.
  private mutating func skipMark() {
    if start == filled { return }
    isAtStart = false
    if filled - start >= 3, buffer[start] == 0xef, buffer[start + 1] == 0xbb, buffer[start + 2] == 0xbf {
      let rest = UnsafeBufferPointer(start: buffer + start + 3, count: filled - start - 3)
      if keepsMark, rest.starts(with: "time=".utf8) { return }
      start += 3
      scanned = start
    }
  }

  private mutating func end(isSound: Bool) {
    isAtEnd = true
    if isSound { return }
    start = filled
    scanned = filled
    dropped = 0
  }

  /// Adds the `got` new bytes to the truncation check; false if the file was truncated before they were read, so that
  /// they do not continue the earlier ones.
  private mutating func keepsWhatWasRead(_ got: Int) throws(SystemCallError) -> Bool {
    // The check comes after the read, so that it sees everything that happened before.
    isTruncated = try check?.isTruncated(file, before: bufferOffset + filled, subject: subject) ?? false
    if isTruncated {
      isAtEnd = true
      return false
    }
    check?.note(UnsafeBufferPointer(start: buffer + filled, count: got))
    return true
  }

  /// A writer that does not append continues at its old offset: before it, the file has a hole.
  private mutating func skipZeros() {
    while start < filled, buffer[start] == 0 { start += 1 }
    scanned = start
    if start < filled { skipsZeros = false }
  }

  /// Restarts at the beginning of a truncated file, and drops the bytes of an unfinished line.
  mutating func restart() throws(SystemCallError) {
    guard lseek(file.number, 0, SEEK_SET) == 0 else { throw SystemCallError("seek", subject) }
    (start, scanned, filled, bufferOffset, dropped) = (0, 0, 0, 0, 0)
    check?.reset()
    (isTruncated, isAtEnd, skipsZeros, isAtStart) = (false, false, true, true)
    decoder?.reset()
  }

  /// The size of a line whose end did not arrive.
  var unfinishedCount: Int { dropped + filled - start }

  /// The next `count` bytes, whatever they are, up to the limit for a line; nil if the stream ends before them. Valid
  /// until the next call.
  package mutating func take(_ count: Int) -> ByteSlice? {
    guard count <= limit else { return nil }
    while filled - start < count {
      if isAtEnd { return nil }
      refill()
    }
    let bytes = ByteSlice(base: buffer + start, count: count, isPlain: false)
    start += count
    scanned = start
    return bytes
  }

  /// Skips `count` bytes, or the remaining ones.
  package mutating func skip(_ count: UInt64) {
    var left = count
    while left > 0 {
      let here = min(left, UInt64(filled - start))
      start += Int(here)
      scanned = start
      left -= here
      if left == 0 || isAtEnd { return }
      refill()
    }
  }

  /// Continues after the end was reached, because the file may have grown.
  package mutating func resume() { isAtEnd = false }

  /// The first byte of the next line, if it is in the buffer.
  var nextByte: UInt8? { start < filled ? buffer[start] : nil }

  /// What was read already of the lines behind the one that was handed out last: up to `limit` bytes. Good until the next
  /// call.
  func readAhead(_ limit: Int) -> ByteSlice {
    ByteSlice(base: buffer + start, count: min(limit, filled - start), isPlain: false)
  }

  /// Whether the next line begins as the runtime's own do, as far as it was read already.
  @inline(__always)
  var isTimeNext: Bool {
    // Two bytes are enough, and they are at least in the buffer's padding.
    start < filled && buffer[start] == UInt8(ascii: "t") && buffer[start + 1] == UInt8(ascii: "i")
  }

  /// Whether the end was reached and everything before it was handed out.
  package var isDrained: Bool { isAtEnd && start == filled }
}
