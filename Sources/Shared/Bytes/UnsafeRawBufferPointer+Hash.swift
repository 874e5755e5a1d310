/// A hash for tables of one process: a few instructions for each sixteen bytes.
extension UnsafeRawBufferPointer {
  /// A number that other bytes hardly have. Its secrets are new in each process, so that whoever chooses the bytes cannot
  /// make them collide; it is for no file and no peer.
  public var quickHash: UInt64 {
    let secret = HashSecrets.second
    var hash = HashSecrets.first ^ UInt64(truncatingIfNeeded: count)
    var index = 0
    while count &- index >= 16 {
      let low = loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let high = loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)
      hash = Self.folded(hash ^ low, secret ^ high)
      index &+= 16
    }
    var low: UInt64 = 0
    var high: UInt64 = 0
    if count &- index >= 8 {
      low = loadUnaligned(fromByteOffset: index, as: UInt64.self)
      index &+= 8
    }
    while index < count {
      high = high &<< 8 | UInt64(self[index])
      index &+= 1
    }
    return Self.folded(Self.folded(hash ^ low, secret ^ high), secret)
  }

  /// The two halves of a product: each bit of them depends on all bits of both numbers.
  @inline(__always)
  private static func folded(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let product = one.multipliedFullWidth(by: other)
    return product.high ^ product.low
  }
}

private enum HashSecrets {
  static let first = UInt64.random(in: .min ... .max) | 1
  static let second = UInt64.random(in: .min ... .max) | 1
}
