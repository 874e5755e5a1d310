import Bytes
import TestSupport
import Testing

@testable import TraceForwarder
@testable import Tracing

/// Files of one trace that another program has reformatted.
@Suite struct TraceDocumentTests {
  private func document(_ count: Int) -> TraceDocument {
    var document = TraceDocument(TraceID(7))
    var scratch = ByteWriter()
    for number in 1...count {
      var span = Span()
      span.traceID = TraceID(7)
      span.spanID = SpanID(UInt64(number))
      span.name = span.intern("{[\"a\", \\\"b\\\" : c\\\\\"]} , \n\u{1}")
      span.setResource("service.name", "service, \(number % 2) {")
      #expect(document.add(span, defaultService: "unknown", &scratch))
    }
    return document
  }

  private func text(_ document: TraceDocument) -> [UInt8] {
    var out = ByteWriter()
    out.put(TraceDocument.envelopeStart)
    document.put(to: &out)
    out.put(TraceDocument.envelopeEnd)
    return out.array
  }

  /// The same JSON with other white space between its tokens.
  private func reformatted(_ file: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
    var out: [UInt8] = []
    var isText = false
    var isEscape = false
    for byte in file {
      let isToken = !isText && Array("{}[]:,".utf8).contains(byte)
      if !isText, byte == UInt8(ascii: "\n") { continue }
      if isToken, generator.oneIn(3) { out.append(generator.pick(Array(" \t\r\n".utf8))) }
      out.append(byte)
      if isToken, generator.oneIn(3) { out.append(generator.pick(Array(" \t\r\n".utf8))) }
      if byte == UInt8(ascii: "\""), !isEscape { isText.toggle() }
      isEscape = isText && !isEscape && byte == UInt8(ascii: "\\")
    }
    return out
  }

  @Test func whiteSpaceDoesNotMatter() throws {
    var generator = SplitMix64(state: 20_260_308)
    for round in 0..<200 {
      let file = text(document(1 + round % 4))
      let other = reformatted(file, &generator)
      #expect(other != file)
      #expect(TraceDocument(TraceID(7), file: other) == nil)
      let read = try #require(TraceDocument(TraceID(7), reformatted: other), "round \(round)")
      #expect(text(read) == file)
      #expect(TraceDocument(TraceID(8), reformatted: other) == nil)
    }
  }

  @Test(arguments: ["", "\n", "[1,2]", "{}", "]]]]}}}}", "{\"data\":[]}", "\"", "\"\\"])
  func fileWithoutATraceIsNotRead(_ file: String) {
    #expect(TraceDocument(TraceID(7), reformatted: Array(file.utf8)) == nil)
  }

  @Test func cutFileIsNotRead() {
    let file = text(document(3))
    // The last byte is the end of a line, which need not be there.
    for count in 0..<file.count - 1 {
      #expect(TraceDocument(TraceID(7), reformatted: Array(file[..<count])) == nil)
    }
  }
}
