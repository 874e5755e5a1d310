/// SipHash-2-4, the hash of data in journal files: https://www.aumasson.jp/siphash/siphash.pdf
public struct SipHash {
  private let key: (UInt64, UInt64)

  /// - Parameter key: 16 bytes.
  public init(key: [UInt8]) {
    self.key = (key.little(UInt64.self, at: 0) ?? 0, key.little(UInt64.self, at: 8) ?? 0)
  }

  /// The hash of `bytes`.
  public func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var state = State(key)
    var offset = 0
    while let word = bytes.little(UInt64.self, at: offset) {
      state.take(word)
      offset += 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    for (index, byte) in bytes[offset...].enumerated() { last |= UInt64(byte) << UInt64(8 * index) }
    state.take(last)
    return state.finish()
  }

  private struct State {
    private var a: UInt64
    private var b: UInt64
    private var c: UInt64
    private var d: UInt64

    init(_ key: (UInt64, UInt64)) {
      // The constants of the specification: "somepseudorandomlygeneratedbytes".
      a = key.0 ^ 0x736f_6d65_7073_6575
      b = key.1 ^ 0x646f_7261_6e64_6f6d
      c = key.0 ^ 0x6c79_6765_6e65_7261
      d = key.1 ^ 0x7465_6462_7974_6573
    }

    mutating func take(_ word: UInt64) {
      d ^= word
      round()
      round()
      a ^= word
    }

    mutating func finish() -> UInt64 {
      c ^= 0xff
      for _ in 0..<4 { round() }
      return a ^ b ^ c ^ d
    }

    private mutating func round() {
      a &+= b
      b = b << 13 | b >> 51
      b ^= a
      a = a << 32 | a >> 32
      c &+= d
      d = d << 16 | d >> 48
      d ^= c
      a &+= d
      d = d << 21 | d >> 43
      d ^= a
      c &+= b
      b = b << 17 | b >> 47
      b ^= c
      c = c << 32 | c >> 32
    }
  }
}
