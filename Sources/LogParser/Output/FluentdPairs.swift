import Bytes
import Encodings

/// Receives the pairs of a flat record, one after another.
protocol FlatPairSink: ~Copyable {
  /// A text under a name of two parts.
  mutating func put(_ prefix: StaticString, _ name: ByteSlice, _ value: ByteSlice)
  mutating func put(_ name: StaticString, number: Int64)
  /// A time as RFC 3339, in UTC and with nine digits.
  ///
  /// - Parameter minute: what the record knows of the minute in which it was written.
  mutating func put(_ name: StaticString, time: Timestamp, _ minute: Timestamp.MinuteCache)
  /// The place of a record in a file, which tells it from all others.
  mutating func put(_ name: StaticString, file: ByteSlice, line: UInt64, time: Timestamp)
}

/// Counts pairs.
struct PairCount: FlatPairSink {
  var count = 0
  mutating func put(_ prefix: StaticString, _ name: ByteSlice, _ value: ByteSlice) { count += 1 }
  mutating func put(_ name: StaticString, number: Int64) { count += 1 }
  mutating func put(_ name: StaticString, time: Timestamp, _ minute: Timestamp.MinuteCache) { count += 1 }
  mutating func put(_ name: StaticString, file: ByteSlice, line: UInt64, time: Timestamp) { count += 1 }
}

/// Writes pairs as MessagePack. All texts are UTF-8: invalid bytes become U+FFFD, because receivers would pass them on
/// to outputs that fail on them.
struct MessagePackPairs: FlatPairSink {
  var out: OutputBuffer.Cursor

  mutating func put(_ prefix: StaticString, _ name: ByteSlice, _ value: ByteSlice) {
    let length = UTF8Repair.length(name)
    out.put(stringOf: prefix.utf8CodeUnitCount + length)
    out.put(prefix)
    UTF8Repair.put(name, length, &out)
    put(value)
  }

  private mutating func put(_ text: ByteSlice) {
    let length = UTF8Repair.length(text)
    out.put(stringOf: length)
    UTF8Repair.put(text, length, &out)
  }

  private mutating func put(name: StaticString) {
    out.put(stringOf: name.utf8CodeUnitCount)
    out.put(name)
  }

  mutating func put(_ name: StaticString, number: Int64) {
    put(name: name)
    out.put(msgpack: number)
  }

  mutating func put(_ name: StaticString, time: Timestamp, _ minute: Timestamp.MinuteCache) {
    put(name: name)
    out.put(stringOf: RecordTime.length)
    out.put { minute.write(full: time, to: $0) }
  }

  mutating func put(_ name: StaticString, file: ByteSlice, line: UInt64, time: Timestamp) {
    put(name: name)
    let length = UTF8Repair.length(file)
    let nanoseconds = RecordTime.nanoseconds(time)
    out.put(
      stringOf: length + 2 + OutputBuffer.Cursor.digits(of: line)
        + OutputBuffer.Cursor.digits(of: nanoseconds))
    UTF8Repair.put(file, length, &out)
    out.put(UInt8(ascii: ":"))
    out.put(decimal: line)
    out.put(UInt8(ascii: ":"))
    out.put(decimal: nanoseconds)
  }
}

/// Writes pairs as members of a JSON object.
struct JSONPairs: FlatPairSink {
  var out: OutputBuffer.Cursor
  private var separator = UInt8(ascii: "{")

  init(out: OutputBuffer.Cursor) { self.out = out }

  mutating func put(_ prefix: StaticString, _ name: ByteSlice, _ value: ByteSlice) {
    begin(prefix)
    JSONText.put(name, &out)
    out.put("\":\"")
    JSONText.put(value, &out)
    out.put(UInt8(ascii: "\""))
  }

  private mutating func begin(_ prefix: StaticString) {
    out.put(separator)
    separator = UInt8(ascii: ",")
    out.put(UInt8(ascii: "\""))
    out.put(prefix)
  }

  mutating func put(_ name: StaticString, number: Int64) {
    begin(name)
    out.put("\":")
    out.put(decimal: number)
  }

  mutating func put(_ name: StaticString, time: Timestamp, _ minute: Timestamp.MinuteCache) {
    begin(name)
    out.put("\":\"")
    out.put { minute.write(full: time, to: $0) }
    out.put(UInt8(ascii: "\""))
  }

  mutating func put(_ name: StaticString, file: ByteSlice, line: UInt64, time: Timestamp) {
    begin(name)
    out.put("\":\"")
    JSONText.put(file, &out)
    out.put(UInt8(ascii: ":"))
    out.put(decimal: line)
    out.put(UInt8(ascii: ":"))
    out.put(decimal: RecordTime.nanoseconds(time))
    out.put(UInt8(ascii: "\""))
  }
}

/// Texts with U+FFFD in place of invalid UTF-8.
enum UTF8Repair {
  /// The most bytes that one byte of text becomes.
  static let growth = 3

  /// The bytes of the repaired text.
  @inline(__always)
  static func length(_ text: ByteSlice) -> Int {
    UTF8Scalar.isValid(text) ? text.count : repairedLength(text)
  }

  @inline(never)
  private static func repairedLength(_ text: ByteSlice) -> Int {
    var (index, length) = (0, 0)
    while index < text.count {
      let (scalar, count) = UTF8Scalar.decode(text, at: index)
      length += scalar == nil ? growth : count
      index += count
    }
    return length
  }

  /// Puts the text, whose repaired length is known.
  @inline(__always)
  static func put(_ text: ByteSlice, _ length: Int, _ out: inout OutputBuffer.Cursor) {
    // A valid text keeps its length; every repair makes it longer.
    if length == text.count { out.put(text) } else { putRepaired(text, &out) }
  }

  @inline(never)
  private static func putRepaired(_ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    var index = 0
    while index < text.count {
      let (scalar, count) = UTF8Scalar.decode(text, at: index)
      if scalar == nil { out.put("\u{fffd}") } else { out.put(text.slice(index, index + count)) }
      index += count
    }
  }
}

/// The times that Fluentd accepts.
enum RecordTime {
  /// The bytes of a time as RFC 3339 with nine digits, in UTC.
  static let length = 30

  /// The record's time in UTC, or `now` if it has none or one that 32 bits of seconds cannot hold. Receivers replace 0
  /// seconds by the time at which they read the record.
  @inline(__always)
  static func sendable(_ time: Timestamp, _ now: () -> Timestamp) -> Timestamp {
    guard (1...Int64(UInt32.max)).contains(time.seconds) else { return now() }
    return Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds)
  }

  /// Nanoseconds since 1970 of a sendable time.
  static func nanoseconds(_ time: Timestamp) -> UInt64 {
    UInt64(clamping: time.seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
      + UInt64(time.nanoseconds)
  }
}
