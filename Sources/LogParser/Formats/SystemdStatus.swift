import Bytes

/// A status line that systemd prints on a console while units start and stop: `[  OK  ] Started a unit.`
enum SystemdStatus {
  private static let words: [StaticString] = [
    "OK", "INFO", "TIME", "SKIP", "UNSUPP", "WARNING", "DEPEND", "FAILED",
  ]

  /// The level of a status line; nil if the text, which must have no colours, is not one.
  static func level(of text: ByteSlice) -> ByteSlice? {
    var scanner = TextScanner(text)
    guard scanner.take(UInt8(ascii: "[")),
      scanner.next == UInt8(ascii: " ") || scanner.next.map({ $0.isUpper }) == true
    else { return nil }
    scanner.skipBlanks()
    for (index, word) in words.enumerated() {
      var attempt = scanner
      guard attempt.take(word) else { continue }
      attempt.skipBlanks()
      guard attempt.take("] ") else { continue }
      return index == 7 ? LevelName.error : index >= 5 ? LevelName.warning : LevelName.info
    }
    return isWaiting(&scanner) ? LevelName.info : nil
  }

  /// `[ ***  ] A start job is running for …`.
  private static func isWaiting(_ scanner: inout TextScanner) -> Bool {
    guard scanner.take(UInt8(ascii: "*")) else { return false }
    while scanner.take(UInt8(ascii: "*")) {}
    scanner.skipBlanks()
    return scanner.take("] ")
  }
}
