import TestSupport
import Testing

@testable import Bytes

/// UTF-8, digits, Base64, times, escapes: against the standard library or the plainest way.
struct TextFuzzTests {
  @Test func validityOfUTF8IsTheStandardLibrarys() {
    Fuzzing.run("UTF-8") { generator in
      var bytes = Array(Naive.text(&generator).utf8)
      if generator.oneIn(2), !bytes.isEmpty {
        bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
      }
      if generator.oneIn(4) { bytes = Naive.bytes(&generator) }
      let isValid = String(validating: bytes, as: UTF8.self) != nil
      #expect(bytes.withUnsafeBytes { $0.isUTF8 } == isValid, "\(bytes)")
      ByteSlice.withCopy(of: bytes) { slice in
        #expect(UTF8Scalar.isValid(slice) == isValid, "\(bytes)")
        var scalars = String.UnicodeScalarView()
        var hasInvalid = false
        var index = 0
        while index < slice.count {
          let (scalar, length) = UTF8Scalar.decode(slice, at: index)
          if let scalar { scalars.append(scalar) } else { hasInvalid = true }
          #expect(length == (scalar.map { String(Character($0)).utf8.count } ?? 1))
          index += length
        }
        #expect(hasInvalid == !isValid, "\(bytes)")
        if isValid { #expect(String(scalars) == String(decoding: bytes, as: UTF8.self)) }
      }
    }
  }

  @Test func scalarsAreEncodedAsTheStandardLibraryDoes() {
    for value: UInt32 in [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff] {
      var bytes = [UInt8](repeating: 0, count: 4)
      let count = bytes.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.map { UTF8Scalar.encode(value, to: $0) } ?? 0
      }
      let text = Unicode.Scalar(value).map { String(Character($0)) } ?? ""
      #expect(Array(bytes[..<count]) == Array(text.utf8))
    }
  }

  @Test func base64MatchesTheNaiveOneAndRoundTrips() {
    Fuzzing.run("Base64", seconds: 1) { generator in
      let bytes = Naive.bytes(&generator)
      var out = ByteWriter(capacity: 8)
      bytes.withUnsafeBytes { Base64.put($0, to: &out) }
      let text = out.string
      #expect(text == Naive.base64(bytes))
      #expect(Base64.decode(text.utf8) == bytes)
      let urlSafe = text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
      #expect(Base64.decode(urlSafe.utf8) == bytes)
    }
    #expect(Base64.decode("a".utf8) == nil && Base64.decode("ab!d".utf8) == nil)
  }

  @Test func decimalDigitsAreTheStandardLibrarys() {
    Fuzzing.run("decimal", seconds: 1) { generator in
      let value = generator.next() >> UInt64(generator.below(64))
      var writer = ByteWriter(capacity: 1)
      writer.put(decimal: value)
      writer.put(decimal: Int64(bitPattern: value))
      writer.put(decimal: UInt128(value) * UInt128(value))
      let written = writer.string
      #expect(
        written == "\(value)\(Int64(bitPattern: value))\(UInt128(value) * UInt128(value))")
      var buffer = OutputBuffer(capacity: 1)
      buffer.append(decimal: Int64(bitPattern: value))
      let buffered = String(decoding: buffer.bytes, as: UTF8.self)
      #expect(buffered == "\(Int64(bitPattern: value))")
      #expect(OutputBuffer.Cursor.digits(of: value) == "\(value)".count)
      let eight = UInt32(value % 100_000_000)
      let digits = DecimalDigits(eight)
      let text = String(repeating: "0", count: 8 - "\(eight)".count) + "\(eight)"
      #expect(
        Array(text.utf8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } == digits.text.littleEndian)
      #expect(DecimalDigits.parse(digits.text) == eight)
      #expect(digits.trailingZeros == text.reversed().prefix { $0 == "0" }.count)
      // One byte that is not a digit.
      let bad = digits.text ^ 0x40 << UInt64(8 * generator.below(8))
      #expect(DecimalDigits.parse(bad) == nil)
    }
  }

  @Test func everyByteIsOrIsNotAHexDigit() {
    for byte in UInt8.min...UInt8.max {
      let character = Character(Unicode.Scalar(byte))
      let value = byte < 0x80 ? character.hexDigitValue : nil
      #expect(HexDigit.value(byte).map(Int.init) == value)
      #expect(byte.isDigit == ("0"..."9").contains(character))
      #expect(byte.isLetter == (byte < 0x80 && character.isLetter))
      guard let value else { continue }
      #expect(
        HexDigit.character(UInt8(value)) == UInt8(ascii: Unicode.Scalar(String(value, radix: 16)) ?? "?"))
    }
    #expect(Array("01Af".utf8).withUnsafeBytes(HexDigit.four) == 0x1af)
    #expect(Array("01Ag".utf8).withUnsafeBytes(HexDigit.four) == nil)
    #expect(Array("01A".utf8).withUnsafeBytes(HexDigit.four) == nil)
    #expect(HexDigit.character(0xab, uppercase: true) == UInt8(ascii: "B"))
  }

  @Test func oneLetterEscapesRoundTrip() {
    for byte in UInt8.min..<0x80 {
      guard let letter = JSONEscape.letter(for: byte) else { continue }
      #expect(JSONEscape.byte(for: letter) == byte)
    }
    #expect(JSONEscape.byte(for: UInt8(ascii: "u")) == nil && JSONEscape.letter(for: 0x1b) == nil)
    #expect(JSONEscape.letter(for: 0x08, .withoutBackspaceAndFormFeed) == nil)
  }

  @Test func unescapingReversesJSONEscaping() {
    var arena = Arena()
    Fuzzing.run("unescaping") { generator in
      let text = Naive.text(&generator, upTo: 60)
      var out = ByteWriter(capacity: 8)
      out.put(json: text)
      arena.reset()
      ByteSlice.withCopy(of: Array(out.array.dropFirst().dropLast())) { inside in
        let value = try? Unescaper.unescape(inside, rule: .json, into: &arena)
        #expect(value?.isSame(as: text) == true, "\(text.debugDescription)")
      }
      // Whatever the bytes, the result is UTF-8 or there is none.
      let rule = generator.pick([EscapeRule.json, .logfmt, .logfmtKeepingHex, .rust])
      ByteSlice.withCopy(of: Naive.bytes(&generator)) { inside in
        guard let value = try? Unescaper.unescape(inside, rule: rule, into: &arena) else { return }
        #expect(UTF8Scalar.isValid(value) && value.count <= inside.count * 3, "\(Array(inside.bytes))")
      }
    }
  }

  @Test(
    arguments: [
      (.json, #"a\u00e9\/\ud83d\ude80\ud83d"#, "aé/🚀\u{fffd}"), (.json, #"\'"#, nil), (.logfmt, #"\'"#, "'"),
      (.logfmtKeepingHex, #"\x1b"#, #"\x1b"#), (.logfmt, #"\x1b"#, nil), (.logfmtKeepingHex, #"\\x1b"#, nil),
      (.rust, #"\u{1b}\0\'"#, "\u{1b}\0'"), (.rust, #"\u{110000}"#, nil), (.rust, #"\b"#, nil),
      (.rust, #"\/"#, nil),
      (.json, #"\u12"#, nil), (.json, "\\", nil), (.json, "a\tb", nil), (.json, #"\b\f\n"#, "\u{8}\u{c}\n"),
    ] as [(EscapeRule, String, String?)])
  func rulesDiffer(_ rule: EscapeRule, _ text: String, _ expected: String?) {
    var arena = Arena()
    ByteSlice.withCopy(of: Array(text.utf8)) { inside in
      #expect((try? Unescaper.unescape(inside, rule: rule, into: &arena))?.string == expected)
    }
  }

  @Test func timesAreWrittenAsTheFieldsSayAndReadBack() throws {
    var cache = Timestamp.MinuteCache()
    try Fuzzing.run("times", seconds: 1) { generator in
      let base =
        generator.oneIn(3)
        ? Int64.random(in: Timestamp.representableSeconds, using: &generator) : 1_700_000_000
      var nanoseconds = UInt32(generator.below(1_000_000_000))
      if generator.oneIn(3) { nanoseconds = nanoseconds / 1_000_000 * 1_000_000 }
      let time = Timestamp(
        seconds: min(base + Int64(generator.below(90)), Timestamp.representableSeconds.upperBound - 1),
        nanoseconds: nanoseconds)
      var writer = ByteWriter(capacity: 1)
      writer.put(rfc3339: time)
      let full = writer.string
      #expect(full == Self.naive(time, digits: 9))
      #expect(time.rfc3339 == Self.naive(time, digits: nil))
      let padded = Array(full.utf8) + [UInt8](repeating: 0, count: ByteSlice.padding)
      try padded.withUnsafeBufferPointer { bytes in
        let start = try #require(bytes.baseAddress)
        // The cache knows the minute or says nothing, and then learns it.
        if let found = cache.parse(start, count: full.utf8.count) { #expect(found == time, "\(full)") }
        let read = cache.parseAndKeep(UnsafeBufferPointer(start: start, count: full.utf8.count))
        #expect(read == time, "\(full)")
        #expect(cache.parse(start, count: full.utf8.count) == time, "\(full)")
        var out = [UInt8](repeating: 0, count: Timestamp.maximumLength)
        let count = out.withUnsafeMutableBufferPointer { target in
          target.baseAddress.flatMap { cache.write(time, separator: 0x54, to: $0) } ?? 0
        }
        #expect(String(decoding: out[..<count], as: UTF8.self) + "Z" == time.rfc3339)
      }
      // One byte that is wrong makes another time, or none; never a trap.
      var broken = Array(full.utf8)
      broken[generator.below(broken.count)] = UInt8(truncatingIfNeeded: generator.next())
      for rule in [Timestamp.FractionRule.required, .optional] {
        guard let other = broken.withUnsafeBufferPointer({ Timestamp.parse(rfc3339: $0, fraction: rule) })
        else {
          continue
        }
        #expect(Timestamp.representableSeconds.contains(other.seconds + Int64(other.offsetMinutes) * 60))
      }
    }
  }

  private static func naive(_ time: Timestamp, digits: Int?) -> String {
    func padded(_ value: Int, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - "\(value)".count)) + "\(value)"
    }
    // Days counted year by year.
    var days = Int((time.seconds - Timestamp.representableSeconds.lowerBound) / 86_400)
    let rest = Int((time.seconds - Timestamp.representableSeconds.lowerBound) % 86_400)
    var year = days / 146_097 * 400
    days %= 146_097
    while days >= (CivilDate.isLeap(year) ? 366 : 365) {
      days -= CivilDate.isLeap(year) ? 366 : 365
      year += 1
    }
    var month = 1
    while days >= CivilDate.days(inMonth: month, of: year) {
      days -= CivilDate.days(inMonth: month, of: year)
      month += 1
    }
    var fraction = "." + padded(Int(time.nanoseconds), 9)
    if digits == nil {
      while fraction.hasSuffix("0") { fraction.removeLast() }
      if fraction == "." { fraction = "" }
    }
    let clock = [rest / 3600, rest / 60 % 60, rest % 60].map { padded($0, 2) }.joined(separator: ":")
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(days + 1, 2))T\(clock)\(fraction)Z"
  }

  @Test func terminalsGetNoControlCharacters() {
    Fuzzing.run("terminal text", seconds: 1) { generator in
      let bytes = generator.oneIn(2) ? Naive.bytes(&generator) : Array(Naive.text(&generator).utf8)
      var filter = TerminalFilter()
      var out: [UInt8] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = Array(rest.prefix(generator.below(7) + 1))
        piece.withUnsafeBytes { filter.append($0, to: &out) }
        rest = rest.dropFirst(piece.count)
      }
      filter.finish(to: &out)
      guard let shown = String(validating: out, as: UTF8.self) else {
        Issue.record("\(bytes) is shown as what is no text")
        return
      }
      #expect(
        shown.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || TerminalText.isShown($0) }, "\(bytes)")
      let line = TerminalText.line(String(decoding: bytes, as: UTF8.self))
      #expect(line.unicodeScalars.allSatisfy(TerminalText.isShown), "\(bytes)")
      #expect(TerminalText.line(line) == line)
    }
  }
}
