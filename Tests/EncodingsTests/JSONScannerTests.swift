import Bytes
import Foundation
import TestSupport
import Testing

@testable import Encodings

/// Reading JSON without a tree.
struct JSONScannerTests {
  private func scan<Result>(
    _ text: String, _ body: (inout JSONScanner) throws(CodecError) -> Result
  ) -> Swift.Result<Result, CodecError> {
    Array(text.utf8).withUnsafeBytes { bytes in
      do throws(CodecError) {
        var json = try JSONScanner(bytes)
        let result = try body(&json)
        try json.finish()
        return .success(result)
      } catch { return .failure(error) }
    }
  }

  private func reason<Result>(_ result: Swift.Result<Result, CodecError>) -> CodecError.Reason? {
    if case .failure(let error) = result { return error.reason }
    return nil
  }

  @Test(arguments: [
    (#""""#, ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e9\uD83D\uDE80""#, "é🚀"),
    (#" "12345678\n12345678" "#, "12345678\n12345678"), (#""日本""#, "日本"),
  ])
  func stringsLoseTheirEscapes(_ json: String, _ text: String) throws {
    #expect(try scan(json) { json throws(CodecError) in try json.string() }.get() == text)
    var target: [UInt8] = [1]
    let result = Array(json.utf8).withUnsafeBytes { bytes in
      Swift.Result {
        var json = try JSONScanner(bytes)
        try json.string(limit: 99, into: &target)
      }
    }
    try result.get()
    #expect(target == [1] + text.utf8)
  }

  @Test(
    arguments: [
      (#""a"#, .truncated), (#""a\"#, .truncated), (#""\x""#, .syntax), (#""\u12""#, .syntax),
      ("\"a\nb\"", .syntax),
      (#""\ud83d""#, .text), (#""\ud83d\u0041""#, .text), (#""\udc00""#, .text), (#""a" b"#, .trailing),
      ("a", .syntax),
    ] as [(String, CodecError.Reason)])
  func brokenStringsAreRefused(_ json: String, _ expected: CodecError.Reason) {
    #expect(reason(scan(json) { json throws(CodecError) in try json.string() }) == expected)
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    let bytes: [UInt8] = [0x22, 0xff, 0x22]
    bytes.withUnsafeBytes { bytes in
      _ = #expect(throws: CodecError(.text, at: 0)) { try JSONScanner(bytes) }
    }
  }

  @Test func longStringsAreRefused() {
    Array(#""abcd""#.utf8).withUnsafeBytes { bytes in
      var target: [UInt8] = []
      let error = #expect(throws: CodecError.self) {
        var json = try JSONScanner(bytes)
        try json.string(limit: 3, into: &target)
      }
      #expect(error?.reason == .limit && target.isEmpty)
    }
  }

  @Test func wholeNumbersAreReadToTheirEnds() throws {
    func unsigned<T: FixedWidthInteger & UnsignedInteger>(_ text: String, _: T.Type) -> T? {
      try? scan(text) { json throws(CodecError) in try json.unsigned(T.self) }.get()
    }
    #expect(unsigned("255", UInt8.self) == 255 && unsigned("256", UInt8.self) == nil)
    #expect(
      unsigned("18446744073709551615", UInt64.self) == .max
        && unsigned("18446744073709551616", UInt64.self) == nil)
    #expect(
      unsigned("\(UInt128.max)", UInt128.self) == .max && unsigned("\(UInt128.max)0", UInt128.self) == nil)
    for text in ["", "-1", "01", "1.0", "1e3", "+1", "a"] {
      #expect(unsigned(text, UInt64.self) == nil, "\(text)")
    }
    func signed(_ text: String) -> Int64? {
      try? scan(text) { json throws(CodecError) in try json.signed() }.get()
    }
    #expect(signed("-9223372036854775808") == .min && signed("-9223372036854775809") == nil)
    #expect(signed("9223372036854775807") == .max && signed("9223372036854775808") == nil)
    #expect(signed("-0") == 0 && signed("-") == nil)
  }

  @Test(arguments: ["0", "-0.5", "1e3", "1.5E-7", "123456789012345678901234567890"])
  func fractionsAreReadAsSwiftReadsThem(_ text: String) throws {
    #expect(try scan(text) { json throws(CodecError) in try json.double() }.get() == Double(text))
  }

  @Test(arguments: ["", "-", "01", ".5", "1.", "1e", "1e999", "nan", "0x1"])
  func brokenFractionsAreRefused(_ text: String) {
    #expect(reason(scan(text) { json throws(CodecError) in try json.double() }) != nil)
  }

  @Test func membersAreWalkedInOrder() throws {
    let members = scan(#" { "a" : 1 , "b":[true,null,"x"] ,"c":{}} "#) { json throws(CodecError) in
      var names: [String] = []
      var more = try json.beginObject()
      while more {
        let key = try json.key()
        names.append(key == "b" ? "B" : String(decoding: key, as: UTF8.self))
        try json.skipValue()
        more = try json.another(UInt8(ascii: "}"))
      }
      return names
    }
    #expect(try members.get() == ["a", "B", "c"])
  }

  @Test func wordsAreWhole() throws {
    #expect(try scan("null") { json throws(CodecError) in try json.takeNull() }.get())
    #expect(try scan("true") { json throws(CodecError) in try json.bool() }.get())
    #expect(try !scan("false") { json throws(CodecError) in try json.bool() }.get())
    #expect(reason(scan("tru") { json throws(CodecError) in try json.bool() }) != nil)
    #expect(reason(scan("nul") { json throws(CodecError) in try json.takeNull() }) != nil)
  }

  @Test func nestingOfSkippedValuesIsLimited() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(reason(scan(nested(64)) { json throws(CodecError) in try json.skipValue() }) == nil)
    #expect(reason(scan(nested(65)) { json throws(CodecError) in try json.skipValue() }) == .limit)
    #expect(reason(scan(nested(100_000)) { json throws(CodecError) in try json.skipValue() }) == .limit)
  }

  /// Foundation's reader is the reference: what it refuses, this one refuses too, and the other way round, but for
  /// numbers beyond the range of a `Double` and depth.
  @Test func whatFoundationRefusesIsRefused() {
    let seeds = [
      #"{"a":[1,-2.5e3,true,false,null,"x\n\u00e9\ud83d\ude80"],"b":{"c":{}},"d":[]}"#,
      #"[{"k":"v"},0,1e-7,""]"#, "\"text\"",
    ].map { Array($0.utf8) }
    let tokens = ["{", "}", "[", "]", ",", ":", "\"", "\\", "\\u12", "0", "-", "1e9", "null", "tru", " "].map
    { Array($0.utf8) }
    let mutator = Mutator(seeds: seeds, tokens: tokens, limit: 400)
    Fuzzing.run("JSON scanner") { generator in
      let bytes = mutator.next(&generator)
      let isOurs = bytes.withUnsafeBytes { bytes in
        do throws(CodecError) {
          var json = try JSONScanner(bytes)
          try json.skipValue()
          try json.finish()
          return true
        } catch { return false }
      }
      guard isOurs else { return }
      let value = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
      // Passing over a string does not look into its escapes.
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(value != nil || text.contains("\\"), "\(text.debugDescription)")
    }
  }

  @Test func textsRoundTrip() {
    Fuzzing.run("JSON strings", seconds: 1) { generator in
      var text = ""
      for _ in 0..<generator.below(30) {
        text.unicodeScalars.append(Unicode.Scalar(UInt32(generator.below(0x11_0000))) ?? "\\")
      }
      var out = ByteWriter(capacity: 8)
      out.put(json: text)
      let read = try? scan(out.string) { json throws(CodecError) in try json.string() }.get()
      #expect(read == text)
    }
  }
}
