import Glibc

/// The rule for text on a terminal.
///
/// A guest chooses the bytes of its log, and a terminal obeys some of them: escape sequences, and marks that hide text
/// or change its direction. Every character that is neither visible nor a blank is therefore written as an escape:
/// `\x1b` for an ASCII character or a byte that is not UTF-8, `\u202e` and `\U000e0041` for other characters. The
/// escapes are for people: they cannot be told from a backslash in the text.
package enum TerminalText {
  /// The length of the longest escape, which is that of a character's.
  package static let longestEscape = 10

  /// Whether a terminal shows the character and does nothing else: it is neither a control, a format character, a line
  /// or paragraph separator, invisible by definition, of private use nor unassigned.
  ///
  /// Line ends and tabs are controls; callers that want them must allow them.
  @inline(__always)
  package static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    if isASCIIShown(scalar.value) { return true }
    return scalar.value < 0xa0 ? false : isShownBeyondASCII(scalar)
  }

  @inline(__always)
  private static func isASCIIShown(_ value: UInt32) -> Bool { value &- 0x20 < 0x7f - 0x20 }

  private static func isShownBeyondASCII(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: !scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  /// The escape of a character that is not shown.
  package static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case 0..<0x80: escape("x", scalar.value, digits: 2)
    case 0x80..<0x1_0000: escape("u", scalar.value, digits: 4)
    default: escape("U", scalar.value, digits: 8)
    }
  }

  /// The escape of a byte that is not UTF-8.
  package static func escape(byte: UInt8) -> String { escape("x", UInt32(byte), digits: 2) }

  private static func escape(_ letter: Unicode.Scalar, _ value: UInt32, digits: Int) -> String {
    // Short enough for a string without memory of its own.
    String(unsafeUninitializedCapacity: digits + 2) { target in
      target[0] = UInt8(ascii: "\\")
      target[1] = UInt8(ascii: letter)
      for place in 0..<digits {
        let digit = UInt8(truncatingIfNeeded: value >> UInt32(4 * (digits - 1 - place)) & 15)
        target[2 + place] = HexDigit.character(digit)
      }
      return digits + 2
    }
  }

  /// The text as one line.
  package static func line(_ text: String) -> String {
    if text.utf8.allSatisfy({ isASCIIShown(UInt32($0)) }) { return text }
    var line = ""
    for scalar in text.unicodeScalars {
      if isShown(scalar) { line.unicodeScalars.append(scalar) } else { line += escape(scalar) }
    }
    return line
  }
}

/// Makes a stream of bytes safe for a terminal, by the rule of ``TerminalText``; line ends and tabs pass.
///
/// The stream may arrive in pieces that split a character: up to three bytes of it wait.
package struct TerminalFilter {
  /// The first bytes of a character whose rest has not arrived.
  private var waiting: [UInt8] = []

  package init() {}

  /// Appends the safe form of the stream's next bytes.
  package mutating func append(_ bytes: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    guard !waiting.isEmpty else { return appendWhole(bytes, &out) }
    let joined = waiting + bytes
    waiting = []
    joined.withUnsafeBytes { appendWhole($0, &out) }
  }

  /// Appends the waiting bytes at the end of the stream.
  package mutating func finish(to out: inout [UInt8]) {
    for byte in waiting { out += TerminalText.escape(byte: byte).utf8 }
    waiting = []
  }

  private mutating func appendWhole(_ bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) {
    let end = bytes.count - Self.partialLength(bytes)
    var start = 0
    while start < end {
      var stop = start
      while stop < end, Self.passes(bytes[stop]) { stop += 1 }
      out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<stop]))
      start = stop
      while stop < end, !Self.passes(bytes[stop]) { stop += 1 }
      if start < stop { Self.append(other: UnsafeRawBufferPointer(rebasing: bytes[start..<stop]), &out) }
      start = stop
    }
    waiting.append(contentsOf: bytes[end...])
  }

  @inline(__always)
  private static func passes(_ byte: UInt8) -> Bool {
    byte &- 0x20 < 0x7f - 0x20 || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t")
  }

  /// Appends bytes of which each is a control or a part of a character beyond ASCII.
  private static func append(other bytes: UnsafeRawBufferPointer, _ out: inout [UInt8]) {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var place = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if TerminalText.isShown(scalar) {
          out.append(contentsOf: encoded)
        } else {
          out += TerminalText.escape(scalar).utf8
        }
        place += encoded.count
      case .error(let length):
        for byte in bytes[place..<min(place + length, bytes.count)] {
          out += TerminalText.escape(byte: byte).utf8
        }
        place += length
      case .emptyInput: return
      }
    }
  }

  /// The number of bytes at the end that begin a character but do not complete it.
  private static func partialLength(_ bytes: UnsafeRawBufferPointer) -> Int {
    for length in 1...3 where length <= bytes.count {
      let byte = bytes[bytes.count - length]
      if byte & 0xc0 == 0x80 { continue }
      return UTF8Scalar.length(ofSequenceWith: byte) > length ? length : 0
    }
    return 0
  }
}
