import Bytes
import Foundation
import TestSupport
import Testing

@testable import Tracing

/// OTLP's logs as OpenTelemetry's own classes write them: taken apart, checked, grouped, and put into JSON and back.
@Suite(.ownThreads) struct OTLPLogsTests {
  /// A request with every field, made by OpenTelemetry's classes, and the same as JSON.
  private static func sample() throws -> (binary: [UInt8], json: [UInt8]) {
    let script = """
      import json, sys
      from google.protobuf import json_format
      from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
      request = logs_service_pb2.ExportLogsServiceRequest()
      def value(target, depth):
          values = target.values.add() if hasattr(target, "values") else target
          kind = depth % 7
          if kind == 0: values.string_value = "é \\U0001f600 \\\\ \\n"
          if kind == 1: values.bool_value = False
          if kind == 2: values.int_value = -(1 << 63)
          if kind == 3: values.double_value = float("-inf")
          if kind == 4: value(values.array_value, depth + 1)
          if kind == 5:
              pair = values.kvlist_value.values.add(key="k")
              value(pair.value, depth + 1)
          if kind == 6: values.bytes_value = bytes(range(256))
      for r in range(3):
          resource = request.resource_logs.add(schema_url="https://r/%d" % r)
          resource.resource.dropped_attributes_count = 7
          value(resource.resource.attributes.add(key="kata.origin").value, 0)
          resource.resource.attributes.add(key="service.name").value.string_value = "s"
          entity = resource.resource.entity_refs.add(schema_url="e", type="t")
          entity.id_keys.append("a"); entity.description_keys.append("b")
          for s in range(2):
              scope = resource.scope_logs.add(schema_url="https://s")
              scope.scope.name, scope.scope.version, scope.scope.dropped_attributes_count = "n%d" % s, "v", 1
              scope.scope.attributes.add(key="x").value.int_value = 5
              for n in range(5):
                  record = scope.log_records.add(
                      time_unix_nano=(1 << 63) + n, observed_time_unix_nano=n, severity_number=9, severity_text="INFO",
                      dropped_attributes_count=3, flags=0x101, trace_id=bytes(range(1, 17)), span_id=bytes(range(8)), event_name="e")
                  value(record.body, n + s)
                  for a in range(7): value(record.attributes.add(key="kata.%d" % a).value, a)
      open(sys.argv[1], "wb").write(request.SerializeToString(deterministic=True))
      def hexed(node):
          if isinstance(node, list): return [hexed(n) for n in node]
          if not isinstance(node, dict): return node
          import base64
          return {k: base64.b64decode(v).hex() if k in ("traceId", "spanId") else hexed(v) for k, v in node.items()}
      data = hexed(json.loads(json_format.MessageToJson(request, use_integers_for_enums=True)))
      open(sys.argv[2], "w").write(json.dumps(data))
      """
    let folder = try TemporaryFolder()
    let (binary, json) = (folder.path("binary"), folder.path("json"))
    let result = try Program.python(["-c", script, binary, json], environment: "venv")
    try #require(result.status == 0, "\(result.errorText)")
    return (
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: binary))),
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: json)))
    )
  }

  private static func json(_ request: [UInt8]) throws -> String {
    var out = ByteWriter()
    try request.withPart(0..<request.count) { part throws(CodecError) in try OTLPLogs.putJSON(part, to: &out)
    }
    return out.string
  }

  private static func binary(_ json: [UInt8]) throws -> [UInt8] {
    var out = ByteWriter()
    try json.withPart(0..<json.count) { part throws(CodecError) in
      try OTLPLogs.putProtobuf(json: part, to: &out)
    }
    return out.array
  }

  private static let plain = LogProvenance(marks: [], defaultService: "d", renamesClaims: false)

  private static func decode(
    _ request: [UInt8], limits: SpanLimits = SpanLimits(), _ provenance: LogProvenance = plain
  ) throws -> (records: [[UInt8]], refused: [CodecError]) {
    var records: [[UInt8]] = []
    var refused: [CodecError] = []
    try request.withPart(0..<request.count) { part throws(CodecError) in
      try OTLPLogs.decodeRequest(
        part, limits: limits, provenance: provenance, refused: { refused.append($0) },
        { records.append(Array($0)) })
    }
    return (records, refused)
  }

  private static func joined(_ records: [[UInt8]]) -> [UInt8] {
    var out = ByteWriter()
    for record in records {
      out.put(OTLPLogs.resourceLogsTag)
      out.varint(UInt64(record.count))
      out.put(record)
    }
    return out.array
  }

  @Test func whatOpenTelemetryWritesComesBack() throws {
    let (binary, json) = try Self.sample()
    let ours = try JSONSerialization.jsonObject(with: Data(try Self.json(binary).utf8)) as? NSDictionary
    #expect(ours == (try JSONSerialization.jsonObject(with: Data(json)) as? NSDictionary))
    #expect(try Self.json(Self.binary(json)) == Self.json(binary))
    let (records, refused) = try Self.decode(binary)
    #expect(records.count == 30 && refused.isEmpty)
    #expect(records.allSatisfy { record in record.withPart(0..<record.count) { OTLPLogs.isRecord($0) } })
    // Grouped again, the request is the one that it was.
    let single = Self.joined(records)
    var grouped = ByteWriter()
    single.withPart(0..<single.count) { OTLPLogs.group($0, to: &grouped) }
    #expect(grouped.array == binary)
  }

  @Test func claimsAreRenamedAndTheReceiverIsNamed() throws {
    let provenance = LogProvenance(
      marks: [("kata.receiver", "otlp")], defaultService: "d", renamesClaims: true)
    let (records, _) = try Self.decode(try Self.sample().binary, provenance)
    for record in records {
      let text = try Self.json(Self.joined([record]))
      #expect(text.contains("\"kata.claimed.origin\"") && text.contains("\"kata.claimed.0\""))
      #expect(!text.contains("\"kata.origin\"") && !text.contains("\"kata.0\""))
      #expect(text.contains("{\"key\":\"kata.receiver\",\"value\":{\"stringValue\":\"otlp\"}}"))
      #expect(!text.contains("{\"stringValue\":\"d\"}"))
    }
  }

  @Test func limitsHold() throws {
    let binary = try Self.sample().binary
    for (reason, change) in [
      (CodecError.Reason.limit, { $0.attributes = 6 } as (inout SpanLimits) -> Void),
      (.limit, { $0.textBytes = 100 }),
      (.limit, { $0.values = 8 }), (.limit, { $0.depth = 1 }),
    ] {
      var limits = SpanLimits()
      change(&limits)
      let (records, refused) = try Self.decode(binary, limits: limits)
      #expect(records.count + refused.count == 30 && !refused.isEmpty)
      #expect(refused.allSatisfy { $0.reason == reason })
    }
    var limits = SpanLimits()
    limits.requestBytes = 2000
    #expect(throws: CodecError.self) { try Self.decode(binary, limits: limits) }
  }

  /// Bytes that were changed are refused or read; what was read can be grouped and put into JSON.
  @Test(.seeded) func changedBytesAreReadOrRefused() throws {
    var random = Seed.generator()
    let (binary, json) = try Self.sample()
    for round in 0..<3000 {
      var bytes = round % 2 == 0 ? binary : json
      for _ in 0...random.below(4) {
        let place = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + random.below(20)))
        default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 9)], at: place)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      guard let request = round % 2 == 0 ? bytes : try? Self.binary(bytes),
        let (records, _) = try? Self.decode(request)
      else { continue }
      let text = try Self.json(Self.joined(records))
      #expect((try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil)
    }
  }

  @Test func answersNameLogRecords() {
    let answer = OTLPResponse.partialSuccess(rejected: 3, message: "m", isJSON: true, ofLogs: true)
    #expect(String(decoding: answer, as: UTF8.self).contains("\"rejectedLogRecords\":\"3\""))
    let read = OTLPResponse.partialSuccess(answer, isJSON: true)
    #expect(read?.rejected == 3 && read?.message == "m")
  }
}
