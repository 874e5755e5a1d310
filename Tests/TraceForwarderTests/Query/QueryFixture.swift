import Bytes
import Foundation
import HTTP
import System
import Tracing

@testable import TraceForwarder

/// A spool with an index over it, which is brought up to date when something is asked.
final class QueryFixture {
  let directory: TemporaryDirectory
  let spool: Spool
  let index: TraceIndex
  var limits = AnswerLimits()
  private var reader: SpoolReader

  init(
    index limits: TraceIndex.Capacity = .init(), spoolBytes: Int = 1 << 30, segmentBytes: Int = 8 << 20
  ) throws {
    directory = try TemporaryDirectory()
    var options = SpoolOptions(directory: directory.path)
    options.maximumSize = spoolBytes
    options.segmentSize = segmentBytes
    spool = try Spool(options)
    index = try TraceIndex(spool, limits: limits)
    reader = SpoolReader(spool, at: spool.start)
  }

  func add(_ spans: [Span]) throws {
    for span in spans {
      var payload = ByteWriter()
      OTLPProtobuf.encode(span, to: &payload)
      var record = ByteWriter()
      spool.key.append(payload.bytes, to: &record)
      try spool.append(record.bytes, count: 1)
    }
    catchUp()
  }

  func catchUp() { while index.catchUp(&reader) {} }

  func answer(_ target: String, method: String = "GET", body: String = "") throws -> HTTPResponse {
    var request = HTTPRequest(method: method, path: "")
    guard RequestTarget.set(target[...], in: &request) else { throw Malformed() }
    request.body = Array(body.utf8)
    return QueryAPI(index, defaultService: "kata-agent", limits: limits).answer(request)
  }

  /// The answer's JSON.
  func get(_ target: String) throws -> JSON { try JSON(answer(target).body) }

  struct Malformed: Error {}
}

/// A JSON value that is looked into without casts.
struct JSON {
  let value: Any?

  init(_ bytes: [UInt8]) throws { value = try JSONSerialization.jsonObject(with: Data(bytes)) }
  private init(value: Any?) { self.value = value }

  subscript(_ key: String) -> JSON { JSON(value: (value as? [String: Any])?[key]) }
  subscript(_ index: Int) -> JSON {
    let list = value as? [Any]
    return JSON(value: list.flatMap { $0.indices.contains(index) ? $0[index] : nil })
  }

  var list: [JSON] { (value as? [Any] ?? []).map { JSON(value: $0) } }
  var text: String? { value as? String }
  var texts: [String] { list.compactMap(\.text) }
  var number: Int? { value as? Int }
  var isNull: Bool { value is NSNull }
  var keys: [String] { (value as? [String: Any] ?? [:]).keys.sorted() }
}

extension Span {
  /// A span of a test; times are microseconds after a moment in 2023.
  static func sample(
    _ trace: UInt128 = 1, _ id: UInt64 = 1, parent: UInt64 = 0, service: String = "svc", name: String = "op",
    start: UInt64 = 0, duration: UInt64 = 100, kind: Kind = .internal, error: String? = nil,
    tags: KeyValuePairs<String, String> = [:], resource: KeyValuePairs<String, String> = [:]
  ) -> Span {
    var span = Span()
    span.traceID = TraceID(trace)
    span.spanID = SpanID(id)
    span.parentID = SpanID(parent)
    span.kind = kind
    span.name = span.intern(name)
    span.start = epoch + start * 1000
    span.end = span.start + duration * 1000
    for (key, value) in tags { span.attributes.append(.init(span.intern(key), .string(span.intern(value)))) }
    span.own = .init(0, span.attributes.count)
    if let error {
      span.status = .error
      span.statusMessage = span.intern(error)
    }
    span.setResource("service.name", service)
    for (key, value) in resource { span.setResource(key, value) }
    return span
  }

  /// Nanoseconds.
  static let epoch: UInt64 = 1_700_000_000_000_000_000
}
