import Bytes

/// Converts UTF-16 to UTF-8 in chunks. An unpaired surrogate becomes U+FFFD.
package struct UTF16Decoder {
  private let isBigEndian: Bool
  /// The first byte of a unit whose second one has not arrived.
  private var half: UInt8?
  /// A high surrogate whose low one has not arrived.
  private var high: UInt16?

  /// The decoder for text that begins with `head`; nil if that is not UTF-16: there is no byte order mark, and the
  /// first units are not all printable ASCII.
  package init?(head: [UInt8]) {
    if head.starts(with: [0xff, 0xfe]) {
      isBigEndian = false
    } else if head.starts(with: [0xfe, 0xff]) {
      isBigEndian = true
    } else if head.count >= Self.evidence, let order = Self.order(head) {
      isBigEndian = order
    } else {
      return nil
    }
  }

  /// The number of bytes that are enough to recognise UTF-16 without a mark.
  private static let evidence = 8

  /// Whether this could become the beginning of UTF-16 text with more bytes.
  static func mayBegin(_ head: [UInt8]) -> Bool {
    head == [0xff] || head == [0xfe] || head.count >= 2 && order(head) != nil
  }

  /// Whether bytes that alternate between ASCII and zeros have the zeros first; nil if they do not alternate.
  private static func order(_ bytes: [UInt8]) -> Bool? {
    let isBigEndian = bytes[0] == 0
    for (index, byte) in bytes.enumerated() {
      let isText = byte >= UInt8(ascii: " ") && byte < 0x7f || byte == UInt8(ascii: "\t")
      guard (index % 2 == 0) == isBigEndian ? byte == 0 : isText else { return nil }
    }
    return isBigEndian
  }

  /// The maximum size of the UTF-8 for `count` bytes, including those left over before.
  static func bound(_ count: Int) -> Int { 3 * (count / 2 + 2) }

  /// The maximum number of bytes that fit in `room` bytes of UTF-8, which must be at least 16.
  static func count(in room: Int) -> Int { (room / 3 - 2) * 2 }

  /// Decodes bytes into memory that has room for ``bound(_:)`` of them; returns how many were written.
  mutating func decode(_ bytes: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<UInt8>) -> Int {
    var written = 0
    for byte in bytes {
      guard let first = half else {
        half = byte
        continue
      }
      half = nil
      let (low, upper) = isBigEndian ? (byte, first) : (first, byte)
      put(UInt16(upper) << 8 | UInt16(low), out, &written)
    }
    return written
  }

  /// Decodes what is left at the end of the text, into memory with room for 6 bytes.
  mutating func finish(into out: UnsafeMutablePointer<UInt8>) -> Int {
    var written = 0
    if high != nil { Self.put(0xfffd, out, &written) }
    if half != nil { Self.put(0xfffd, out, &written) }
    (high, half) = (nil, nil)
    return written
  }

  /// Drops leftover bytes, because another text begins.
  mutating func reset() { (high, half) = (nil, nil) }

  @inline(__always)
  private mutating func put(_ unit: UInt16, _ out: UnsafeMutablePointer<UInt8>, _ written: inout Int) {
    if let first = high {
      high = nil
      if unit & 0xfc00 == 0xdc00 {
        let scalar = 0x10000 + (UInt32(first & 0x3ff) << 10 | UInt32(unit & 0x3ff))
        return Self.put(scalar, out, &written)
      }
      Self.put(0xfffd, out, &written)
    }
    switch unit & 0xfc00 {
    case 0xd800: high = unit
    case 0xdc00: Self.put(0xfffd, out, &written)
    default: Self.put(UInt32(unit), out, &written)
    }
  }

  @inline(__always)
  private static func put(_ scalar: UInt32, _ out: UnsafeMutablePointer<UInt8>, _ written: inout Int) {
    func add(_ value: UInt32) {
      out[written] = UInt8(truncatingIfNeeded: value)
      written += 1
    }
    if scalar < 0x80 { return add(scalar) }
    if scalar < 0x800 {
      add(0xc0 | scalar >> 6)
    } else {
      if scalar < 0x10000 {
        add(0xe0 | scalar >> 12)
      } else {
        add(0xf0 | scalar >> 18)
        add(0x80 | scalar >> 12 & 0x3f)
      }
      add(0x80 | scalar >> 6 & 0x3f)
    }
    add(0x80 | scalar & 0x3f)
  }
}
