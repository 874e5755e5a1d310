import TestSupport
import Testing

@testable import Bytes
@testable import LogParser

/// The fast path over JSON objects without nested ones, against the reader that goes piece by piece.
struct FlatObjectTests {
  private static func pairs(_ members: borrowing MemberList) -> [String] {
    var found: [String] = []
    for index in 0..<members.count {
      found.append("\(members[index].key.string)=\(members[index].value.string)")
    }
    return found
  }

  /// What the fast path reads; nil when it leaves the text to the other reader.
  private static func flat(_ text: String) -> [String]? {
    ByteSlice.withCopy(of: Array(text.utf8)) { slice in
      var members = MemberList()
      var arena = Arena()
      var index = StructuralIndex()
      guard JSONMembers.readFlat(slice, into: &members, &arena, &index) else { return nil }
      return pairs(members)
    }
  }

  private static func byTokens(_ text: String) -> [String]? {
    ByteSlice.withCopy(of: Array(text.utf8)) { slice in
      var arena = Arena()
      do throws(RecordProblem) {
        return pairs(try JSONMembers.flattenedByTokens(slice, &arena))
      } catch {
        return nil
      }
    }
  }

  private static let names = [#""a""#, #""msg""#, #""""#, #""a\"b""#, #""a=b c""#, #""é""#]
  private static let values = [
    #""x""#, #""""#, #""two words""#, #""say \"so\"""#, #""\\""#, #""é<>""#, #""a=b""#, "0", "1", "12345",
    "007", "-1", "1.5",
    "1e9", "true", "false", "null", "nul", "{}", "[1]", #"{"b":"c"}"#, "",
    "9" + String(repeating: "0", count: 40),
  ]
  private static let blanks = ["", "", "", "", " ", "\t"]

  private static func object(_ generator: inout some RandomNumberGenerator) -> String {
    func blank(_ generator: inout some RandomNumberGenerator) -> String {
      blanks.randomElement(using: &generator) ?? ""
    }
    var text = blank(&generator) + "{"
    for number in 0..<Int.random(in: 0..<9, using: &generator) {
      if number > 0 { text += blank(&generator) + "," + blank(&generator) }
      text += names.randomElement(using: &generator) ?? ""
      text += blank(&generator) + ":" + blank(&generator)
      // Mostly values that the fast path takes.
      let limit = Bool.random(using: &generator) ? values.count : 10
      text += values[Int.random(in: 0..<limit, using: &generator)]
    }
    return text + blank(&generator)
      + ["}", "}", "}", "}", "},", "", ",}", "} x"][Int.random(in: 0..<8, using: &generator)]
  }

  @Test func itReadsWhatTheOtherReaderReads() {
    var taken = 0
    Fuzzing.run("flat objects") { generator in
      let text = Self.object(&generator)
      if let found = Self.flat(text) {
        taken += 1
        #expect(found == Self.byTokens(text), "\(text)")
      } else if let whole = Self.byTokens(text) {
        #expect(
          whole.isEmpty || text.contains("{}") || text.contains("[1]") || text.contains(#"{"b""#), "\(text)")
      }
    }
    #expect(taken > 100)
  }

  @Test func itTakesWhatLoggersWrite() {
    #expect(Self.flat(#"{"a":"b","n":12,"c":"d"}"#) == ["a=b", "n=12", "c=d"])
    #expect(Self.flat(#"{"a":"\"","n":12,"c":"d","e":0}"#) == ["a=\"", "n=12", "c=d", "e=0"])
    #expect(Self.flat(#"{"n":007}"#) == nil)
    #expect(Self.flat(#"{"a":"b",}"#) == nil)
    #expect(Self.flat(#"{"a":"b"} "#) == ["a=b"])
    #expect(Self.flat(#"{"a":{"b":"c"}}"#) == nil)
    #expect(Self.flat("null") == nil)
  }

  @Test func aLineOfTheJournalIsOneByItsFieldsNames() throws {
    #expect(Self.flat(#"{"MESSAGE":null,"a":"b"}"#) == ["MESSAGE=", "a=b"])
    var isNull = false
    ByteSlice.withCopy(of: Array(#"{"MESSAGE":null,"a":"b"}"#.utf8)) { slice in
      var members = MemberList()
      var arena = Arena()
      var index = StructuralIndex()
      isNull = JSONMembers.readFlat(slice, into: &members, &arena, &index) && members.hasNull
    }
    #expect(isNull)
  }
}
