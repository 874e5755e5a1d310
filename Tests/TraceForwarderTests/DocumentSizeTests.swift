import Bytes
import TestSupport
import Testing

@testable import TraceForwarder
@testable import Tracing

/// The size of a file of Jaeger JSON, told before it is written.
@Suite(.ownThreads) struct DocumentSizeTests {
  private static let service = "unknown"

  private func span(_ generator: inout SplitMix64) -> Span {
    var span = Span()
    span.traceID = TraceID(UInt128(generator.below(4) + 1))
    span.spanID = SpanID(generator.next() | 1)
    if generator.oneIn(2) { span.parentID = SpanID(generator.next()) }
    span.name = span.intern(text(&generator))
    span.start = generator.next()
    if !generator.oneIn(4) { span.setResource("service.name", "service \(generator.below(20))") }
    let first = span.attributes.count
    for _ in 0..<generator.below(5) {
      let value: Span.Value =
        generator.oneIn(2)
        ? .string(span.intern(text(&generator))) : .int(Int64(bitPattern: generator.next()))
      span.attributes.append(Span.Attribute(span.intern(text(&generator)), value))
    }
    span.own = Span.List(first, span.attributes.count - first)
    return span
  }

  private func text(_ generator: inout SplitMix64) -> String {
    (0..<generator.below(30)).reduce(into: "") { text, _ in
      text += generator.pick(["a", "\u{1}", "\"", "é", "\n"])
    }
  }

  private func written(_ spans: [Span]) -> Int {
    var documents: [TraceID: TraceDocument] = [:]
    var order: [TraceID] = []
    var scratch = ByteWriter()
    for span in spans {
      if documents[span.traceID] == nil { order.append(span.traceID) }
      _ = documents[span.traceID, default: TraceDocument(span.traceID)].add(
        span, defaultService: Self.service, &scratch)
    }
    var out = ByteWriter()
    out.put(TraceDocument.envelopeStart)
    for (index, id) in order.enumerated() {
      if index > 0 { out.put(",\n") }
      documents[id]?.put(to: &out)
    }
    out.put(TraceDocument.envelopeEnd)
    return out.count
  }

  @Test(arguments: 0..<30)
  func isTheWrittenSizeOrALittleMore(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    var size = DocumentSize(defaultService: Self.service)
    var spans: [Span] = []
    for _ in 0...generator.below(100) {
      spans.append(span(&generator))
      let isNew = size.add(spans[spans.count - 1], limit: .max)
      #expect(!isNew)
    }
    let written = written(spans)
    // The last separator of each list, and a second digit of a process.
    let told = size.bytes
    #expect((written...written + 20 + spans.count).contains(told), "seed \(seed): \(told) for \(written)")
  }

  @Test(arguments: 0..<30)
  func noDocumentIsLargerThanTheLimitButOfASingleSpan(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    let limit = 400 + generator.below(4000)
    var size = DocumentSize(defaultService: Self.service)
    var documents: [[Span]] = [[]]
    for _ in 0..<100 {
      let span = span(&generator)
      if size.add(span, limit: limit) { documents.append([]) }
      documents[documents.count - 1].append(span)
    }
    #expect(documents.count > 1)
    for spans in documents {
      #expect(spans.count == 1 || !spans.isEmpty && written(spans) <= limit, "seed \(seed), limit \(limit)")
    }
  }
}
