extension Timestamp {
  /// Reads times of the form that Go's and Rust's loggers write (`YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`) by their difference
  /// from the last one: nearly always the minute is the same, and only the seconds must be read.
  public struct MinuteCache {
    @usableFromInline internal var text = SIMD16<UInt8>(repeating: 0)
    @usableFromInline internal var seconds: Int64 = 0

    @inlinable public init() {}

    /// The time, if it is in the minute that is kept, in UTC and with nine digits; else nil, which says nothing.
    /// `base` must have ``ByteSlice/padding`` bytes after its `count`.
    @inlinable @inline(__always)
    public func parse(_ base: UnsafePointer<UInt8>, count: Int) -> Timestamp? {
      guard count == 30 else { return nil }
      let differs = ByteScanner.load(base) .!= text
      guard !ByteScanner.isAnySet(differs), base[16] == 0x3a, base[19] == 0x2e, base[29] == 0x5a else {
        return nil
      }
      let tens = UInt32(base[17]) &- 0x30
      let ones = UInt32(base[18]) &- 0x30
      let last = UInt32(base[28]) &- 0x30
      guard tens < 6, ones < 10, last < 10, let eight = DecimalDigits.parse(base + 20) else { return nil }
      return Timestamp(
        seconds: seconds &+ Int64(tens &* 10 &+ ones), nanoseconds: eight &* 10 &+ last, offsetMinutes: 0)
    }

    /// Writes a time of the minute that is kept, in UTC, as `Timestamp.write(rfc3339:)` does but for the zone, and
    /// returns the number of bytes; nil, with nothing written, for another one.
    @inlinable @inline(__always)
    public func write(
      _ time: Timestamp, separator: UInt8, trimmed: Bool = true, to out: UnsafeMutablePointer<UInt8>
    ) -> Int? {
      let second = time.seconds &- seconds
      guard second >= 0, second < 60, time.offsetMinutes == 0, text[10] == 0x54 else { return nil }
      UnsafeMutableRawPointer(out).storeBytes(of: text, as: SIMD16<UInt8>.self)
      out[10] = separator
      out[16] = 0x3a
      out[17] = 0x30 &+ UInt8(truncatingIfNeeded: second / 10)
      out[18] = 0x30 &+ UInt8(truncatingIfNeeded: second % 10)
      return Timestamp.writeFraction(time.nanoseconds, trimmed: trimmed, out)
    }

    /// Writes a time in UTC as `Timestamp.write(rfc3339:trimmed:)` does with nine digits, and returns the number of bytes.
    @inlinable @inline(__always)
    public func write(full time: Timestamp, to out: UnsafeMutablePointer<UInt8>) -> Int {
      guard let count = write(time, separator: 0x54, trimmed: false, to: out) else {
        return time.write(rfc3339: out, trimmed: false)
      }
      out[count] = 0x5a
      return count + 1
    }

    /// Keeps the minute of a time that is about to be written.
    @inlinable @inline(__always)
    public mutating func keepMinute(of time: Timestamp) {
      let second = time.seconds &- seconds
      if second < 0 || second >= 60 || text[10] != 0x54 { keepOtherMinute(of: time) }
    }

    @usableFromInline @inline(never)
    internal mutating func keepOtherMinute(of time: Timestamp) {
      guard time.offsetMinutes == 0, Timestamp.representableSeconds.contains(time.seconds) else { return }
      text = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.maximumLength) { buffer in
        guard let base = buffer.baseAddress else { return text }
        _ = time.write(rfc3339: base)
        return ByteScanner.load(base)
      }
      let ofMinute = time.seconds % 60
      seconds = time.seconds - (ofMinute < 0 ? ofMinute + 60 : ofMinute)
    }

    /// Reads any RFC 3339 time with a fraction, and keeps its minute where that helps with the next.
    @inlinable public mutating func parseAndKeep(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
      guard let time = Timestamp.parse(rfc3339: bytes, fraction: .required) else { return nil }
      if bytes.count == 30, time.offsetMinutes == 0, let base = bytes.baseAddress {
        text = ByteScanner.load(base)
        let ofMinute = time.seconds % 60
        seconds = time.seconds - (ofMinute < 0 ? ofMinute + 60 : ofMinute)
      }
      return time
    }
  }

  /// Writes the fraction after the 19 bytes of a date and time as `Timestamp.write(rfc3339:)` does, and returns the
  /// number of bytes of all.
  @inlinable @inline(__always)
  internal static func writeFraction(
    _ nanoseconds: UInt32, trimmed: Bool, _ out: UnsafeMutablePointer<UInt8>
  ) -> Int {
    guard nanoseconds != 0 || !trimmed else { return 19 }
    let last = nanoseconds % 10
    let digits = DecimalDigits(nanoseconds / 10)
    out[19] = 0x2e
    UnsafeMutableRawPointer(out + 20).storeBytes(of: digits.text.littleEndian, as: UInt64.self)
    out[28] = 0x30 &+ UInt8(truncatingIfNeeded: last)
    return trimmed && last == 0 ? 28 &- digits.trailingZeros : 29
  }
}
