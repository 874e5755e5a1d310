/// A time of the common form `time="YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ"` at the start of a line, which is compared as
/// text. Whether its digits are digits is checked only when the line is read.
public struct FixedStamp {
  @usableFromInline internal let words: SIMD4<UInt64>

  /// The time of a line; nil when it has another form.
  @inlinable @inline(__always)
  public init?(_ line: ByteSlice) {
    guard line.count > 36 else { return nil }
    // All inspected bytes are among the first 38; the last ones may be in the line's padding.
    let start = UnsafeRawPointer(line.base)
    // `time="` as the first six bytes of a number.
    guard line.base[35] == 0x5a, line.base[36] == 0x22, line.base[25] == 0x2e, line.base[16] == 0x54,
      UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)) & 0xffff_ffff_ffff == 0x223d_656d_6974
    else { return nil }
    words = (start + 6).loadUnaligned(as: SIMD4<UInt64>.self)
  }

  @inlinable @inline(__always)
  public func precedes(_ other: FixedStamp) -> Bool {
    for index in 0..<4 where words[index] != other.words[index] {
      return UInt64(bigEndian: words[index]) < UInt64(bigEndian: other.words[index])
    }
    return false
  }

  /// The time; nil if it is not one.
  public var time: Timestamp? {
    withUnsafeBytes(of: words) { bytes in
      bytes.withMemoryRebound(to: UInt8.self) {
        Timestamp.parse(rfc3339: UnsafeBufferPointer(rebasing: $0[..<30]), fraction: .required)
      }
    }
  }
}
