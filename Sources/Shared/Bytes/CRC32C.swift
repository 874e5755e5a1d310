/// CRC-32C (Castagnoli, RFC 3720, appendix B.4), eight bytes a step by tables.
public enum CRC32C {
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
      tables[byte] = value
    }
    for table in 1..<8 {
      for byte in 0..<256 {
        let before = tables[(table - 1) * 256 + byte]
        tables[table * 256 + byte] = before >> 8 ^ tables[Int(before & 0xff)]
      }
    }
    return tables
  }()

  /// The checksum of some bytes.
  public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 { ~update(.max, bytes) }

  /// Adds bytes to an incomplete checksum, which starts from all ones or from a secret, and is inverted at the end.
  public static func update(_ state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var crc = state
      var index = 0
      // Every index below is a byte plus a multiple of 256 under 2048, the size of the tables.
      while index &+ 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ UInt64(crc)
        crc = 0
        for byte in 0..<8 {
          crc ^= tables[(7 &- byte) &* 256 &+ Int(truncatingIfNeeded: word >> (8 &* UInt64(byte)) & 0xff)]
        }
        index &+= 8
      }
      while index < bytes.count {
        crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[index])) & 0xff)]
        index &+= 1
      }
      return crc
    }
  }

  /// Adds four bytes, the lowest first, to an incomplete checksum.
  public static func update(_ state: UInt32, little value: UInt32) -> UInt32 {
    withUnsafeBytes(of: value.littleEndian) { update(state, $0) }
  }
}
