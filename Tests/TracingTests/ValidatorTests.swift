import Bytes
import Encodings
import Foundation
import TestSupport
import Testing

@testable import Tracing

/// Every output read by what nobody here wrote: OpenTelemetry's protobuf classes, those of Jaeger's client, Python's json.
@Suite(.ownThreads) struct ValidatorTests {
  private static let spans = RoundTripTests.samples + RoundTripTests.random(600, seed: 17)

  /// A folder with the truth of all the spans.
  private func folder(_ spans: [PlainSpan]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try PlainSpan.truth(spans).write(to: folder.url.appendingPathComponent("truth"))
    return folder
  }

  private func python(_ venv: String, _ script: String, _ arguments: [String]) throws {
    let result = try Program.python(
      [Repository.path("Tests/Validators/\(script)")] + arguments, environment: venv)
    #expect(result.status == 0, "\(result.text.suffix(2000))\(result.errorText.suffix(2000))")
  }

  @Test func openTelemetryReadsOTLP() throws {
    #expect(Self.spans.count == 1000)
    var request = ByteWriter()
    var lines = ByteWriter()
    for span in Self.spans {
      var one = ByteWriter()
      OTLPProtobuf.encode(span.span, to: &one)
      request.put(OTLPProtobuf.resourceSpansTag)
      request.varint(UInt64(one.count))
      request.put(one.bytes)
      OTLPJSON.encode(span.span, to: &lines)
      lines.put(0x0a)
    }
    let folder = try folder(Self.spans.map(\.asOTLP))
    try folder.write("request.pb", request.array)
    try folder.write("lines.jsonl", lines.array)
    try python(
      "venv", "check-otlp.py", [folder.path("truth"), folder.path("request.pb"), folder.path("lines.jsonl")])
  }

  @Test func pythonReadsJaegerJSON() throws {
    var out = ByteWriter()
    out.put("{\"data\":[")
    for (index, span) in Self.spans.enumerated() {
      let span = span.span
      if index > 0 { out.put(0x2c) }
      out.put("{\"traceID\":\"")
      out.put(hex: span.traceID)
      out.put("\",\"spans\":[")
      JaegerJSON.encode(span, to: &out)
      out.put("],\"processes\":{\"p1\":")
      JaegerJSON.encodeProcess(of: span, defaultService: "unknown", to: &out)
      out.put("},\"warnings\":null}")
    }
    out.put("],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}")
    let folder = try folder(Self.spans)
    try folder.write("document.json", out.array)
    try python("venv", "check-jaeger-json.py", [folder.path("truth"), folder.path("document.json")])
  }

  @Test(arguments: [ThriftProtocol.binary, .compact])
  func jaegersClientReadsThrift(_ format: ThriftProtocol) throws {
    var out = ByteWriter()
    for span in Self.spans {
      let batch = ThriftBatch.encode([span], as: format)
      out.big(UInt32(batch.count))
      out.put(batch)
    }
    let folder = try folder(Self.spans)
    try folder.write("messages", out.array)
    try python(
      "venv-jaeger", "check-jaeger-thrift.py",
      ["check", "\(format)", folder.path("truth"), folder.path("messages")])
  }

  /// Jaeger's client reads what it wrote itself the same way, so this is about our reading.
  @Test func batchesOfJaegersClientAreRead() throws {
    // Python's json writes the texts of lists in a way of its own.
    let spans = Self.spans.filter { $0 == $0.withoutLists }
    #expect(spans.count > 50)
    let folder = try folder(spans)
    try python(
      "venv-jaeger", "check-jaeger-thrift.py", ["write", folder.path("truth"), folder.path("messages")])
    let bytes = [UInt8](try Data(contentsOf: folder.url.appending(path: "messages")))
    var index = 0
    var found: [PlainSpan] = []
    while index + 4 <= bytes.count {
      let length = bytes[index..<index + 4].reduce(0) { $0 << 8 | Int($1) }
      try bytes[index + 4..<index + 4 + length].withUnsafeBytes {
        try JaegerThrift.decodeBatch($0, refused: { Issue.record("\($0)") }) { found.append(PlainSpan($0)) }
      }
      index += 4 + length
    }
    #expect(found == spans.map(\.asThrift))
  }
}

extension PlainSpan {
  fileprivate var withoutLists: PlainSpan {
    func without(_ attributes: [Attribute]) -> [Attribute] {
      attributes.filter {
        switch $0.value {
        case .array, .map: false
        default: true
        }
      }
    }
    var span = self
    span.attributes = without(attributes)
    span.resource.attributes = without(resource.attributes)
    for index in events.indices { span.events[index].attributes = without(events[index].attributes) }
    for index in links.indices { span.links[index].attributes = without(links[index].attributes) }
    return span
  }
}
