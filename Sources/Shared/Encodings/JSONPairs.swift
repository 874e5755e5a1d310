import Bytes

/// A JSON object whose members are texts, numbers and booleans, as pairs of text.
public enum JSONPairs {
  /// Nil when it is anything else.
  public static func parse(_ text: String) -> [(key: String, value: String)]? {
    Array(text.utf8).withUnsafeBytes { bytes in try? pairs(bytes) }
  }

  private static func pairs(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> [(
    key: String, value: String
  )] {
    var json = try JSONScanner(bytes)
    var result: [(key: String, value: String)] = []
    var more = try json.beginObject()
    while more {
      let key = try json.string()
      try json.expect(0x3a)
      switch json.peek() {
      case 0x22: result.append((key, try json.string()))
      case 0x74, 0x66: result.append((key, try json.bool() ? "true" : "false"))
      case 0x7b, 0x5b: throw json.failure()
      default:
        _ = json.peek()
        let start = json.position
        try json.skipValue()
        result.append((key, String(decoding: bytes.part(start..<json.position), as: UTF8.self)))
      }
      more = try json.another(0x7d)
    }
    try json.finish()
    return result
  }
}
