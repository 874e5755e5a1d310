import Bytes

extension ByteWriter {
  /// Puts 32 hexadecimal digits.
  @inline(__always)
  package mutating func put(hex id: TraceID) {
    put(hex: id.high)
    put(hex: id.low)
  }
}
