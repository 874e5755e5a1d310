import Foundation
import TestSupport

/// A span's ids, in hexadecimal digits as OTLP JSON has them.
struct SpanName: Hashable, Comparable, CustomStringConvertible {
  var trace: String
  var span: String
  var description: String { "\(trace)/\(span)" }
  static func < (a: SpanName, b: SpanName) -> Bool { a.description < b.description }
}

/// Frames as agents send them.
enum Frames {
  static func frame(_ payload: Data) -> Data {
    withUnsafeBytes(of: UInt64(payload.count).bigEndian) { Data($0) } + payload
  }

  /// A span as current agents encode it, made here without the forwarder's code.
  static func span(trace: UInt64, span: UInt64, parent: UInt64 = 0, name: String = "s", padding: Int = 0)
    -> Data
  {
    let text = String(repeating: "x", count: padding)
    return frame(
      Data(
        """
        {"span_context":{"trace_id":\(trace),"span_id":\(span),"trace_flags":1,"is_remote":false,"trace_state":null},\
        "parent_span_id":\(parent),"span_kind":"Internal","name":"\(name)",\
        "start_time":{"secs_since_epoch":1760000000,"nanos_since_epoch":\(span % 1_000_000_000)},\
        "end_time":{"secs_since_epoch":1760000001,"nanos_since_epoch":5},\
        "attributes":{"map":{"pad":{"String":"\(text)"}},"evict_list":["pad"],"max_len":128,"dropped_count":0},\
        "events":{"queue":null,"max_len":128,"dropped_count":0},"links":{"queue":null,"max_len":128,"dropped_count":0},\
        "status_code":"Unset","status_message":"","resource":{"attrs":{"service.name":{"String":"kata-agent"}}}}
        """.utf8))
  }

  static func name(trace: UInt64, span: UInt64) -> SpanName {
    SpanName(trace: hex(UInt128(trace), 32), span: hex(UInt128(span), 16))
  }

  static func hex(_ value: UInt128, _ digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// Spans of one trace with ids from a range.
  static func spans(trace: UInt64, _ ids: Range<UInt64>, padding: Int = 0) -> Data {
    var result = Data()
    for id in ids { result += span(trace: trace, span: id, padding: padding) }
    return result
  }
}

/// The sample frames of `formats/agent-frames`, which the real OpenTelemetry crates made, and the truth about them.
struct SampleSpans {
  var frames: [Data]
  var names: [SpanName]

  static let encodings = ["agent-otel0.14-bincode", "agent-otel0.17-json"]

  init(_ encoding: String) throws {
    let path = Repository.path("formats/agent-frames/\(encoding)")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(path).frames"))
    frames = []
    var offset = 0
    while offset + 8 <= bytes.count {
      let length = bytes[offset..<offset + 8].reduce(0) { $0 << 8 | Int($1) }
      frames.append(Data(bytes[offset..<offset + 8 + length]))
      offset += 8 + length
    }
    let truth = try String(contentsOfFile: "\(path).truth.ndjson", encoding: .utf8)
    names = truth.split(separator: "\n").map { line in
      func number(_ key: String) -> UInt128 {
        let digits = line.range(of: "\"\(key)\":").map { line[$0.upperBound...].prefix { $0.isNumber } } ?? ""
        return UInt128(digits) ?? 0
      }
      return SpanName(
        trace: Frames.hex(number("trace_id"), 32), span: Frames.hex(number("span_id"), 16))
    }
  }

  /// Both encodings' frames.
  static func all() throws -> SampleSpans {
    var result = try SampleSpans(encodings[0])
    let other = try SampleSpans(encodings[1])
    result.frames += other.frames
    result.names += other.names
    return result
  }
}

/// What an OTLP JSON file has, read by Foundation's JSON.
enum OTLPLines {
  struct Item {
    var name: SpanName
    var resource: [String: String]
  }

  static func read(_ path: String) throws -> [Item] {
    guard let data = FileManager.default.contents(atPath: path), let end = data.lastIndex(of: 0x0a) else {
      return []
    }
    // The last line may be on its way.
    return try data[...end].split(separator: 0x0a).flatMap { try items(Data($0)) }
  }

  static func names(_ path: String) throws -> [SpanName] { try read(path).map(\.name) }

  static func items(_ request: Data) throws -> [Item] {
    let document = try JSONSerialization.jsonObject(with: request) as? [String: Any]
    var result: [Item] = []
    for resource in document?["resourceSpans"] as? [[String: Any]] ?? [] {
      var attributes: [String: String] = [:]
      let list = (resource["resource"] as? [String: Any])?["attributes"] as? [[String: Any]] ?? []
      for entry in list {
        attributes[entry["key"] as? String ?? ""] =
          (entry["value"] as? [String: Any])?["stringValue"] as? String
      }
      for scope in resource["scopeSpans"] as? [[String: Any]] ?? [] {
        for span in scope["spans"] as? [[String: Any]] ?? [] {
          result.append(
            Item(
              name: SpanName(trace: span["traceId"] as? String ?? "", span: span["spanId"] as? String ?? ""),
              resource: attributes))
        }
      }
    }
    return result
  }
}
