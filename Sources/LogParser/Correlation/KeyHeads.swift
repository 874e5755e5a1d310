/// A set of the first four bytes of some keys, which quickly rules out that a key is one of them.
///
/// A key that may be one of them must still be compared, because different keys share bits.
struct KeyHeads {
  private let bits: UInt64

  /// - Parameter keys: the beginnings of the keys; only the first four bytes count.
  init(_ keys: [StaticString]) {
    var bits: UInt64 = 0
    for key in keys {
      var head: UInt32 = 0
      for offset in 0..<4 {
        head = head << 8 | (offset < key.utf8CodeUnitCount ? UInt32(key.utf8Start[offset]) : 0)
      }
      bits |= 1 << Self.place(head)
    }
    self.bits = bits
  }

  /// Whether the key of any field may be one of them.
  @inline(__always)
  func mayHoldAny(_ fields: borrowing FieldList) -> Bool {
    fields.containsHead { bits >> Self.place($0) & 1 != 0 }
  }

  /// Whether the key of the field may be one of them.
  @inline(__always)
  func mayHold(_ field: Field) -> Bool { bits >> Self.place(field.head) & 1 != 0 }

  /// With this factor the usual keys of Kata's programs share no bits with those that say something about an owner.
  @inline(__always)
  private static func place(_ head: UInt32) -> UInt64 { UInt64((head &* 0x4ced_821f) &>> 26) }
}
