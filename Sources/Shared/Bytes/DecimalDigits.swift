/// The eight digits of a number under 100,000,000, computed all at once: fours, then pairs, then digits.
public struct DecimalDigits {
  /// The values of the digits, 0 to 9 a byte, the first digit in the lowest one.
  @usableFromInline internal let values: UInt64

  /// Digits of `value`, which must be under 100,000,000.
  @inlinable @inline(__always)
  public init(_ value: UInt32) {
    // Each product stays in its lane: 9,999 · 10,486 is under 2³², 99 · 103 under 2¹⁶. The shifted products are the
    // quotients by 100 and by 10 for all numbers up to those.
    let fours = UInt64(value / 10_000) | UInt64(value % 10_000) &<< 32
    let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007f_0000_007f
    let pairs = hundreds | (fours &- hundreds &* 100) &<< 16
    let tens = (pairs &* 103) &>> 10 & 0x000f_000f_000f_000f
    values = tens | (pairs &- tens &* 10) &<< 8
  }

  /// The digits as text, the first in the lowest byte.
  @inlinable @inline(__always)
  public var text: UInt64 { values | 0x3030_3030_3030_3030 }

  /// The number of leading zeros; for 0, the last one counts as the number.
  @inlinable @inline(__always)
  public var leadingZeros: Int { (values | 1 &<< 56).trailingZeroBitCount &>> 3 }

  /// The number of trailing zeros; 8 for 0.
  @inlinable @inline(__always)
  public var trailingZeros: Int { values.leadingZeroBitCount &>> 3 }

  /// Writes a number at `out` and returns how many digits it has, twenty at most; no more than the twenty bytes that
  /// must be there are written to.
  @inlinable @inline(__always)
  public static func write(_ value: UInt64, to out: UnsafeMutablePointer<UInt8>) -> Int {
    guard value < 100_000_000 else { return writeLong(value, to: out) }
    let digits = DecimalDigits(UInt32(truncatingIfNeeded: value))
    let zeros = digits.leadingZeros
    UnsafeMutableRawPointer(out).storeBytes(
      of: (digits.text &>> UInt64(truncatingIfNeeded: zeros &* 8)).littleEndian, as: UInt64.self)
    return 8 &- zeros
  }

  @usableFromInline @inline(never)
  internal static func writeLong(_ value: UInt64, to out: UnsafeMutablePointer<UInt8>) -> Int {
    let first = write(value / 100_000_000, to: out)
    UnsafeMutableRawPointer(out + first).storeBytes(
      of: DecimalDigits(UInt32(truncatingIfNeeded: value % 100_000_000)).text.littleEndian, as: UInt64.self)
    return first + 8
  }

  /// The number that the eight digits at `text` write; nil if one is not a digit.
  @inlinable @inline(__always)
  public static func parse(_ text: UnsafePointer<UInt8>) -> UInt32? {
    parse(UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self)))
  }

  /// The number that eight digits write, the first in the lowest byte; nil if one is not a digit.
  @inlinable @inline(__always)
  public static func parse(_ text: UInt64) -> UInt32? {
    let digits = text &- 0x3030_3030_3030_3030
    guard (digits | (text &+ 0x4646_4646_4646_4646)) & 0x8080_8080_8080_8080 == 0 else { return nil }
    let pairs = (digits &* 10 &+ digits &>> 8) & 0x00ff_00ff_00ff_00ff
    let fours = (pairs &* 100 &+ pairs &>> 16) & 0x0000_ffff_0000_ffff
    return UInt32(truncatingIfNeeded: fours &* 10_000 &+ fours &>> 32)
  }
}
