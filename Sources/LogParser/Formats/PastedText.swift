import Bytes

/// What people, editors, terminals, chats and test harnesses add around a pasted log line. It is removed from lines
/// that match no format, but not lost: the text before a record becomes its field `prefix`.
enum PastedText {
  /// The maximum number of things that are removed from the front of a line.
  static let peelLimit = 6
  /// Longer lines are not examined.
  static let lengthLimit = 64 << 10

  /// The length of the next thing that can be removed from the front, or 0. Whether to remove it is decided when a
  /// record is found after it.
  static func frontLength(_ text: ByteSlice) -> Int {
    var scanner = TextScanner(text)
    while scanner.take(UInt8(ascii: " ")) || scanner.take(UInt8(ascii: "\t")) || scanner.take("\u{a0}") {}
    if scanner.index > 0 { return scanner.index }
    for mark in marks where text.hasPrefix(mark) { return mark.utf8CodeUnitCount }
    for tag in tags where text.hasPrefix(tag) { return tag.utf8CodeUnitCount }
    guard let first = text.bytes.first else { return 0 }
    if first.isDigit { return numberLength(text) }
    if first == UInt8(ascii: "[") {
      return text.hasPrefix("[pod/") ? length(of: text, upTo: "] ") : podLength(text)
    }
    let length = nameLength(text)
    return length > 0 ? length : podLength(text)
  }

  /// A pod's name and its container's, as stern puts them before a line (`pod container text`) and kubetail
  /// (`[pod container] text`, `[pod] text`).
  private static func podLength(_ text: ByteSlice) -> Int {
    var scanner = TextScanner(text)
    let isBracketed = scanner.take(UInt8(ascii: "["))
    guard takeName(&scanner, isPod: true) else { return 0 }
    if isBracketed, scanner.take("] ") { return scanner.index }
    guard scanner.take(UInt8(ascii: " ")), takeName(&scanner, isPod: false) else { return 0 }
    if isBracketed, !scanner.take(UInt8(ascii: "]")) { return 0 }
    return scanner.take(UInt8(ascii: " ")) ? scanner.index : 0
  }

  /// A name of Kubernetes: that of a pod that a controller made has a `-` in it.
  private static func takeName(_ scanner: inout TextScanner, isPod: Bool) -> Bool {
    let rest = scanner.rest
    var end = 0
    while end < min(rest.count, 254),
      rest[end].isDigit || (0x61...0x7a).contains(rest[end]) || rest[end] == 0x2d || rest[end] == 0x2e
    {
      end += 1
    }
    guard end > 1, rest[end - 1] != 0x2d, rest[0] != 0x2d, !isPod || rest.prefix(end).contains(0x2d) else {
      return false
    }
    scanner.skip(end)
    return true
  }

  private static let marks: [StaticString] = [
    "> ", ">", "# ", "// ", "| ", "- ", "* ", "+ ", "... ", "… ", "`", "'", "\"",
  ]
  private static let tags: [StaticString] = [
    "<details>", "</details>", "<summary>", "</summary>", "<p>", "</p>", "<code>", "<pre>", "<br>", "<li>",
  ]

  /// A clock time, with or without a date, or a line number.
  private static func numberLength(_ text: ByteSlice) -> Int {
    var scanner = TextScanner(text)
    if scanner.anyTime() != nil { return scanner.next == UInt8(ascii: " ") ? scanner.index + 1 : 0 }
    if scanner.number(2, 2) != nil, scanner.take(UInt8(ascii: ":")), scanner.number(2, 2) != nil,
      scanner.take(UInt8(ascii: ":")), scanner.number(2, 2) != nil
    {
      _ = scanner.fraction()
      return scanner.take(UInt8(ascii: " ")) ? scanner.index : 0
    }
    scanner = TextScanner(text)
    guard scanner.number(1, 7) != nil else { return 0 }
    while let byte = scanner.next,
      byte == 0x20 || byte == 0x09 || byte == 0x3a || byte == 0x7c || byte == 0x2e
    {
      _ = scanner.take(byte)
    }
    return scanner.index > 0 && !(scanner.next?.isDigit ?? true) || scanner.rest.peek(4) == 0x2d
      ? scanner.index : 0
  }

  /// The name of a file or node with a colon, and a line number as grep writes it.
  private static func nameLength(_ text: ByteSlice) -> Int {
    guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > 0, colon < 256 else { return 0 }
    for byte in text.prefix(colon).bytes where byte <= 0x20 || byte == 0x22 || byte == 0x3d || byte == 0x7b {
      return 0
    }
    var scanner = TextScanner(text)
    scanner.skip(colon + 1)
    var number = scanner
    if number.number(1, 7) != nil, number.take(UInt8(ascii: ":")) { scanner = number }
    scanner.skipBlanks()
    return scanner.index
  }

  private static func length(of text: ByteSlice, upTo end: StaticString) -> Int {
    text.range(of: end).map { $0 + end.utf8CodeUnitCount } ?? 0
  }

  /// Whether another record begins after a time, which then is only the carrier's clock.
  static func hasRecord(_ text: ByteSlice) -> Bool {
    var scanner = TextScanner(text)
    scanner.skipBlanks()
    _ = scanner.take("# ")
    let rest = scanner.rest
    if rest.hasPrefix("time=") || rest.hasPrefix("{\"") { return true }
    if rest.hasPrefix("[") { scanner.skip(1) }
    var attempt = scanner
    if attempt.anyTime() != nil { return true }
    return scanner.shortName(TextScanner.months) != nil && scanner.next == UInt8(ascii: " ")
  }

  /// Whether the line shows a typed command, or separates pasted text.
  static func isFrame(_ text: ByteSlice) -> Bool {
    let words = text.trimmed
    return words.hasPrefix("```") || words.hasPrefix("~~~") || words.hasPrefix("$ ") || words == "..."
      || words == "…"
      || words == "(snip)" || words.hasPrefix("</")
  }
}

/// Characters that editors, browsers and chats substitute for others.
enum PastedCharacters {
  private static let replacements: [(StaticString, StaticString)] = [
    ("&quot;", "\""), ("&#34;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&#39;", "'"),
    ("&apos;", "'"),
    ("&nbsp;", " "), ("“", "\""), ("”", "\""), ("„", "\""), ("‘", "'"), ("’", "'"), ("\u{200b}", ""),
    ("\u{feff}", ""), ("\u{a0}", " "),
  ]

  /// The text with the original characters; nil if there is nothing to repair.
  static func repaired(_ text: ByteSlice) -> [UInt8]? {
    guard
      text.contains(UInt8(ascii: "&")) || text.contains(0xe2) || text.contains(0xc2) || text.contains(0xef)
    else {
      return nil
    }
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var index = 0
    var isChanged = false
    scan: while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "&") || byte >= 0x80 {
        let rest = text.dropFirst(index)
        for (wrong, right) in replacements where rest.hasPrefix(wrong) {
          right.withUTF8Buffer { out.append(contentsOf: $0) }
          index += wrong.utf8CodeUnitCount
          isChanged = true
          continue scan
        }
      }
      out.append(byte)
      index += 1
    }
    return isChanged ? out : nil
  }
}

/// A record inside something else: a JSON text, a table of a log forwarder.
enum EmbeddedRecord {
  private static let heads: [StaticString] = [
    "time=\"", "time=\\\"", "level=trace ", "level=debug ", "level=info ", "level=warn ", "level=warning ",
    "level=error ", "level=fatal ", "level=panic ", "{\"msg\":", "{\\\"msg\\\":",
  ]

  /// The record's text, the text before it, and the text after it.
  static func find(in text: ByteSlice) -> (record: [UInt8], start: Int, end: Int)? {
    var start: Int?
    for head in heads {
      guard let place = text.range(of: head), place > 0, isBoundary(text[place - 1]) else { continue }
      // The word also occurs in prose.
      if text[place] == UInt8(ascii: "t"), !text.peek(place + head.utf8CodeUnitCount).isDigit { continue }
      start = min(start ?? place, place)
    }
    guard let start else { return nil }
    let rest = text.dropFirst(start)
    guard let escape = rest.range(of: "=\\\"") ?? rest.range(of: "{\\\""),
      rest.range(of: "=\"").map({ escape < $0 }) ?? true
    else { return (Array(rest.bytes), start, text.count) }
    let end = rest.closingQuote(from: 0)
    let content = rest.prefix(end)
    var out: [UInt8] = []
    var index = 0
    while index < content.count {
      if content[index] == UInt8(ascii: "\\"), index + 1 < content.count {
        let next = content[index + 1]
        if next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") {
          out.append(next)
          index += 2
          continue
        }
        if next == UInt8(ascii: "n"), index + 2 == content.count { break }
      }
      out.append(content[index])
      index += 1
    }
    return (out, start, start + end)
  }

  private static func isBoundary(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x22 || byte == 0x27 || byte == 0x7b || byte == 0x3a
      || byte == 0x28
      || byte == 0x60
  }
}
