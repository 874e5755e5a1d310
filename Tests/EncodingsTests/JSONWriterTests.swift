import Bytes
import Testing

@testable import Encodings

struct JSONWriterTests {
  @Test func documentHasItsMembersInOrder() {
    var json = JSONWriter()
    json.object { out in
      out.string("name", "a \"b\"")
      out.array("list", [1, 2]) { out, number in
        out.number("n", number)
        out.array("inner", [Int]()) { _, _ in }
      }
      out.number("last", -3)
    }
    let text = json.text
    #expect(
      text == #"{"name":"a \"b\"","list":[{"n":1,"inner":[]},{"n":2,"inner":[]}],"last":-3}"# + "\n")
  }

  @Test func emptyObjectHasNoMembers() {
    var json = JSONWriter()
    json.object { _ in }
    let text = json.text
    #expect(text == "{}\n")
  }

  @Test(arguments: [([], ""), ([1], "1"), ([1, 2, 3], "1,2,3")] as [([Int64], String)])
  func listHasCommasBetweenItsElements(_ elements: [Int64], _ text: String) {
    var out = ByteWriter()
    out.put(list: elements) { element, out in out.put(decimal: element) }
    let written = out.string
    #expect(written == text)
  }
}

struct JSONPairsTests {
  @Test func membersBecomeTexts() {
    let pairs = JSONPairs.parse(#"{"a":"x\n","b":1.5e3,"c":true,"d":false}"#) ?? []
    #expect(
      pairs.map(\.key) == ["a", "b", "c", "d"] && pairs.map(\.value) == ["x\n", "1.5e3", "true", "false"])
    #expect(JSONPairs.parse("{}")?.isEmpty == true)
  }

  @Test(arguments: ["", "[]", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":1} x", "{\"a\"}", "{\"a\":1,}"])
  func everythingElseIsNotASetOfPairs(_ text: String) { #expect(JSONPairs.parse(text) == nil) }
}

struct ThriftWriterTests {
  private func write(_ format: ThriftProtocol, _ body: (inout ThriftWriter) -> Void) -> [UInt8] {
    var writer = ThriftWriter(format, ByteWriter())
    body(&writer)
    return writer.finish().array
  }

  /// The examples of Thrift's own descriptions of its protocols.
  @Test func fieldsAreAsTheProtocolsSay() {
    let body: (inout ThriftWriter) -> Void = { out in
      out.beginStruct()
      out.i64(1, -1)
      out.text(3, "ab")
      out.double(20, 1)
      out.list(21, count: 2)
      out.endStruct()
    }
    #expect(
      write(.binary, body) == [
        10, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 11, 0, 3, 0, 0, 0, 2, 97, 98, 4, 0, 20, 0x3f, 0xf0,
        0, 0, 0,
        0, 0, 0, 15, 0, 21, 12, 0, 0, 0, 2, 0,
      ])
    #expect(
      write(.compact, body) == [
        0x16, 1, 0x28, 2, 97, 98, 0x07, 40, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x19, 0x2c, 0,
      ])
  }
}
