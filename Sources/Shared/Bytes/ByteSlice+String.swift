import Glibc

extension ByteSlice {
  /// Whether the bytes are those of a text.
  public func equals(text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      guard bytes.count == count else { return false }
      guard let base = bytes.baseAddress else { return true }
      return memcmp(base, self.base, count) == 0
    }
  }

  /// Whether the bytes begin with those of a text.
  public func hasPrefix(text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      guard let base = bytes.baseAddress, bytes.count <= count else { return bytes.isEmpty }
      return memcmp(base, self.base, bytes.count) == 0
    }
  }
}
