import Bytes

/// The ids of sandboxes and containers in text.
enum OwnerID {
  /// The longest id.
  static let limit = 76
  /// The least number of hexadecimal digits of an id, if only its form says that it is one.
  static let digits = 32

  /// The length of the name that begins at `index`: letters, digits, `_`, `.` and `-`; 0 if there is none or it is too
  /// long for an id.
  static func nameLength(_ text: ByteSlice, at index: Int) -> Int {
    guard isAlphanumeric(text.peek(index)) else { return 0 }
    var end = index + 1
    while isNameByte(text.peek(end)) {
      end += 1
      if end - index > limit { return 0 }
    }
    return end - index
  }

  /// The length of an unmistakable id that begins at `index`: 32 to 64 hexadecimal digits, or a UUID.
  static func length(_ text: ByteSlice, at index: Int, digits least: Int = digits) -> Int {
    var end = index
    while HexDigit.value(text.peek(end)) != nil {
      end += 1
      if end - index > 64 { return 0 }
    }
    let count = end - index
    if count == 8, text.peek(end) == 0x2d { return isUUID(text, at: index) ? 36 : 0 }
    return count >= least && !isAlphanumeric(text.peek(end)) ? count : 0
  }

  static func isUUID(_ text: ByteSlice, at index: Int) -> Bool {
    guard index + 36 <= text.count, !isAlphanumeric(text.peek(index + 36)) else { return false }
    for offset in 0..<36 {
      let byte = text.peek(index + offset)
      let isDash = offset == 8 || offset == 13 || offset == 18 || offset == 23
      guard isDash ? byte == 0x2d : HexDigit.value(byte) != nil else { return false }
    }
    return true
  }

  /// The id without the runtime's name that some programs write before it: `containerd://…`.
  static func bare(_ value: ByteSlice) -> ByteSlice {
    guard value.count > 8, value.contains(0x3a) else { return value }
    for scheme in ["containerd://", "cri-o://", "docker://"] as [StaticString] where value.hasPrefix(scheme) {
      return value.dropFirst(scheme.utf8CodeUnitCount)
    }
    return value
  }

  @inline(__always)
  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    byte.isDigit || byte.isLetter
  }

  @inline(__always)
  static func isNameByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || byte == 0x2d || byte == 0x2e || byte == 0x5f
  }
}
