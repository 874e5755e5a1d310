/// Where a text may say something that is secret: the log parser's redaction looks closer there, and nowhere else.
extension ByteSlice {
  /// The index of the first byte from `start` on at which a secret, or what names one, may begin; ``count`` if there is
  /// none. `start` is from 0 to ``count``.
  ///
  /// These are `=` and `:`, which names stand before; two dashes, of options and keys in PEM; and the first two letters of
  /// `Bearer`, `Basic` and the tokens that say what they are: `eyJ`, `AKIA`, `ASIA`, `ghp_`, `github_pat_`, `glpat-`, `xoxb-`,
  /// `hvs.`.
  @inline(never)
  public func firstSecretSign(from start: Int) -> Int {
    precondition(start >= 0, "index out of range")
    var index = start
    while index < count {
      let found = ByteScanner.bits(Self.secretSigns(base + index))
      if found != 0 { return min(index &+ found.trailingZeroBitCount, count) }
      index &+= 16
    }
    return count
  }

  /// Of sixteen places, those at which a sign is. Seventeen bytes are read: ``padding`` has them.
  @inline(__always)
  private static func secretSigns(_ place: UnsafePointer<UInt8>) -> ByteScanner.Mask {
    let v = ByteScanner.load(place)
    let next = ByteScanner.load(place + 1)
    let lower = ByteScanner.Lanes(repeating: 0x20)
    let signs = has(v, "=") .| has(v, ":") .| (has(v, "-") .& has(next, "-"))
    let schemes = has(v | lower, "b") .& (has(next | lower, "e") .| has(next | lower, "a"))
    let keys = has(v, "A") .& (has(next, "K") .| has(next, "S"))
    let tokens =
      (has(v, "e") .& has(next, "y")) .| (has(v, "x") .& has(next, "o")) .| (has(v, "h") .& has(next, "v"))
    let repositories = has(v, "g") .& (has(next, "h") .| has(next, "i") .| has(next, "l"))
    return ((signs .| schemes) .| (keys .| tokens)) .| repositories
  }

  @inline(__always)
  private static func has(_ lanes: ByteScanner.Lanes, _ character: Unicode.Scalar) -> ByteScanner.Mask {
    lanes .== ByteScanner.Lanes(repeating: UInt8(ascii: character))
  }
}
