import Bytes

extension LevelName {
  /// The runtime's name for a level of any logger (`WARN`, `ERRO`, `Notice`, `crit`), in any case; nil for any other
  /// word.
  static func normalized(_ word: ByteSlice) -> ByteSlice? {
    guard word.count >= 3, word.count <= 9 else { return nil }
    var key: UInt64 = 0
    for index in 0..<min(word.count, 8) {
      guard word[index].isLetter else { return nil }
      key = key << 8 | UInt64(word[index] | 0x20)
    }
    guard let place = keys.firstIndex(of: key) else { return nil }
    return name(place)
  }

  private static let words: [StaticString] = [
    "trce", "trac", "trace", "debg", "debu", "debug", "dbg", "inf", "info", "notice", "informat", "warn",
    "wrn",
    "warning", "err", "erro", "error", "crit", "critical", "alert", "emerg", "emergenc", "fata", "fatal",
    "pani",
    "panic",
  ]

  private static let keys: [UInt64] = words.map { word in
    var key: UInt64 = 0
    word.withUTF8Buffer { for byte in $0 { key = key << 8 | UInt64(byte) } }
    return key
  }

  private static func name(_ place: Int) -> ByteSlice {
    switch place {
    case ...2: trace
    case ...6: debug
    case ...10: info
    case ...13: warning
    case ...16: error
    case ...21: critical
    case ...23: fatal
    default: panic
    }
  }
}
