import Bytes

/// The 16 bytes that all spans of one trace share; zero means no trace.
package struct TraceID: Hashable, Sendable, Comparable {
  /// The bytes as a number, the first byte as the highest.
  package var value: UInt128

  package init(_ value: UInt128) { self.value = value }

  package init(high: UInt64, low: UInt64) { value = UInt128(high) << 64 | UInt128(low) }

  package var high: UInt64 { UInt64(truncatingIfNeeded: value >> 64) }
  package var low: UInt64 { UInt64(truncatingIfNeeded: value) }

  /// 32 lower-case hexadecimal digits.
  package var description: String { SpanID(high).description + SpanID(low).description }

  /// Takes 1 to 32 hexadecimal digits of either case, as Jaeger's clients write ids with and without leading zeros.
  package init?(hex text: some StringProtocol) {
    guard (1...32).contains(text.utf8.count) else { return nil }
    var value: UInt128 = 0
    for byte in text.utf8 {
      guard let digit = HexDigit.value(byte) else { return nil }
      value = value << 4 | UInt128(digit)
    }
    self.init(value)
  }

  package static func < (a: TraceID, b: TraceID) -> Bool { a.value < b.value }
}

/// The 8 bytes that name a span within its trace; zero means no span.
package struct SpanID: Hashable, Sendable {
  package var value: UInt64

  package init(_ value: UInt64) { self.value = value }

  /// 16 lower-case hexadecimal digits.
  package var description: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }

  package var isZero: Bool { value == 0 }
}
