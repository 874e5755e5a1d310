import Bytes
import Encodings
import Foundation
import Testing

@testable import Tracing

/// Every output read by what nobody here wrote: OpenTelemetry's protobuf classes, those of Jaeger's client, Python's json.
@Suite struct ValidatorTests {
  private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized
  private static let spans = RoundTripTests.samples + RoundTripTests.random(600, seed: 17)

  /// A folder with the truth of all the spans, gone with its owner.
  private final class Folder {
    let url: URL

    init(_ spans: [PlainSpan]) throws {
      url = FileManager.default.temporaryDirectory.appending(path: "validate-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
      try PlainSpan.truth(spans).write(to: url.appending(path: "truth"))
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }
    func write(_ bytes: [UInt8], _ name: String) throws {
      try Data(bytes).write(to: url.appending(path: name))
    }
  }

  private func python(_ venv: String, _ script: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = Self.root.appending(path: ".build/\(venv)/bin/python")
    process.arguments = [Self.root.appending(path: "Tests/Validators/\(script)").path] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text.suffix(4000))")
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
    let folder = try Folder(Self.spans.map(\.asOTLP))
    try folder.write(request.array, "request.pb")
    try folder.write(lines.array, "lines.jsonl")
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
    let folder = try Folder(Self.spans)
    try folder.write(out.array, "document.json")
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
    let folder = try Folder(Self.spans)
    try folder.write(out.array, "messages")
    try python(
      "venv-jaeger", "check-jaeger-thrift.py",
      ["check", "\(format)", folder.path("truth"), folder.path("messages")])
  }

  /// Jaeger's client reads what it wrote itself the same way, so this is about our reading.
  @Test func batchesOfJaegersClientAreRead() throws {
    // Python's json writes the texts of lists in a way of its own.
    let spans = Self.spans.filter { $0 == $0.withoutLists }
    #expect(spans.count > 50)
    let folder = try Folder(spans)
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
