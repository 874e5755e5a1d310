import Bytes
import Encodings
import HTTP
import Tracing

/// Version 3 of Jaeger's query API, whose traces are OTLP JSON. See `formats/query-api`.
final class QueryAPIv3 {
  private let index: TraceIndex
  private let limits: AnswerLimits

  init(_ index: TraceIndex, _ limits: AnswerLimits) {
    self.index = index
    self.limits = limits
  }

  func answer(_ request: HTTPRequest, _ path: [String]) -> HTTPResponse {
    switch (path.first, path.count) {
    case ("services", 1): return services()
    case ("operations", 1): return operations(request)
    case ("traces", 1):
      return search(request) { [self] traces, reader in
        traces.isEmpty ? failure(404, "No traces found") : self.traces(traces, reader)
      }
    case ("trace-summaries", 1): return search(request) { [self] in summaries($0, $1) }
    case ("traces", 2): return trace(path[1])
    default: return failure(404, "there is no such endpoint")
    }
  }

  private func services() -> HTTPResponse {
    var out = ByteWriter(capacity: 1024)
    out.put("{\"services\":[")
    out.put(list: index.services) { service, out in out.put(json: service) }
    out.put("]}")
    return HTTPResponse(200, out.array)
  }

  private func operations(_ request: HTTPRequest) -> HTTPResponse {
    let kind = request.parameter("spanKind") ?? request.parameter("span_kind") ?? ""
    guard let service = request.parameter("service"), !service.isEmpty else {
      return failure(400, "malformed parameter service: it is required")
    }
    // A span without a kind counts as internal, so an operation may be there as both.
    var seen: Set<[String]> = []
    let found = index.operations(of: service).map { operation in
      [operation.name, operation.kind.word ?? "internal"]
    }.filter { (kind.isEmpty || kind == $0[1]) && seen.insert($0).inserted }
    var out = ByteWriter(capacity: 1024)
    out.put("{\"operations\":[")
    out.put(list: found) { operation, out in
      out.put("{\"name\":")
      out.put(json: operation[0])
      out.put(",\"spanKind\":")
      out.put(json: operation[1])
      out.put(0x7d)
    }
    out.put("]}")
    return HTTPResponse(200, out.array)
  }

  private func search(_ request: HTTPRequest, _ body: ([Trace], SpanReader) -> HTTPResponse) -> HTTPResponse {
    do throws(ParameterError) {
      let query = try TraceQuery(v3: request)
      let reader = SpanReader(index.spool, limits)
      return body(query.run(index, reader).traces, reader)
    } catch {
      return failure(400, error.message)
    }
  }

  private func trace(_ text: String) -> HTTPResponse {
    guard let id = TraceID(hex: text) else {
      return failure(400, "malformed parameter trace_id: \"\(text)\" is not a trace id")
    }
    let reader = SpanReader(index.spool, limits)
    guard let trace = index.entry(id).flatMap({ Trace(id, $0, reader) }) else {
      return failure(404, "No traces found")
    }
    return traces([trace], reader)
  }

  // MARK: Traces

  private func traces(_ traces: [Trace], _ reader: SpanReader) -> HTTPResponse {
    var out = ByteWriter(capacity: 64 << 10)
    out.put("{\"result\":{\"resourceSpans\":[")
    let start = out.count
    for trace in traces where out.count < limits.bytes {
      for group in groups(trace, reader, room: limits.bytes - out.count) {
        if out.count > start { out.put(0x2c) }
        out.put(group.head)
        out.put(group.spans)
        out.put(group.tail)
      }
    }
    out.put("]}}")
    return HTTPResponse(200, out.array)
  }

  /// The spans of one resource and scope, encoded.
  private struct Group {
    var head: [UInt8]
    var spans: [UInt8] = []
    var tail: [UInt8]
  }

  private func groups(_ trace: Trace, _ reader: SpanReader, room: Int) -> [Group] {
    var groups: [Group] = []
    var numbers: [[UInt8]: Int] = [:]
    var head = ByteWriter(capacity: 512)
    var body = ByteWriter(capacity: 2048)
    var tail = ByteWriter(capacity: 64)
    var size = 0
    for member in trace.spans where size < room {
      reader.read(member.position) { span, _ in
        head.removeAll()
        body.removeAll()
        tail.removeAll()
        OTLPJSON.encodeParts(copy span, head: &head, span: &body, tail: &tail)
        let group = Group(head: head.array, tail: tail.array)
        let key = group.head + group.tail
        let number = numbers[key] ?? groups.count
        if number == groups.count {
          numbers[key] = number
          groups.append(group)
          size += key.count
        } else {
          groups[number].spans.append(0x2c)
        }
        groups[number].spans += body.array
        size += body.count + 1
      }
    }
    return groups
  }

  // MARK: Summaries

  private func summaries(_ traces: [Trace], _ reader: SpanReader) -> HTTPResponse {
    var out = ByteWriter(capacity: 16 << 10)
    out.put("{\"summaries\":[")
    out.put(list: traces) { trace, out in summary(trace, reader, &out) }
    out.put("]}")
    return HTTPResponse(200, out.array)
  }

  private func summary(_ trace: Trace, _ reader: SpanReader, _ out: inout ByteWriter) {
    let ids = Set(trace.spans.map(\.id))
    out.put("{\"traceId\":\"")
    out.put(hex: trace.id)
    out.put("\",\"rootServiceName\":")
    out.put(json: trace.root.map { trace.services[$0.service] } ?? "")
    out.put(",\"rootOperationName\":")
    var name = ""
    if let root = trace.root { reader.read(root.position) { span, _ in name = span.string(span.name) } }
    out.put(json: name)
    out.put(",\"minStartTimeUnixNano\":\"")
    out.put(decimal: trace.spans.map(\.start).min() ?? 0)
    out.put("\",\"maxEndTimeUnixNano\":\"")
    out.put(decimal: trace.spans.map(\.end).max() ?? 0)
    out.put("\",\"spanCount\":")
    out.put(decimal: Int64(trace.spans.count + trace.omitted))
    out.put(",\"errorSpanCount\":")
    out.put(decimal: Int64(trace.spans.count { $0.isError }))
    out.put(",\"orphanSpanCount\":")
    out.put(decimal: Int64(trace.spans.count { $0.parent != 0 && !ids.contains($0.parent) }))
    out.put(",\"services\":[")
    let services = Dictionary(grouping: trace.spans) { trace.services[$0.service] }
    out.put(list: services.sorted { $0.key < $1.key }) { service, out in
      out.put("{\"name\":")
      out.put(json: service.key)
      out.put(",\"spanCount\":")
      out.put(decimal: Int64(service.value.count))
      out.put(",\"errorSpanCount\":")
      out.put(decimal: Int64(service.value.count { $0.isError }))
      out.put(0x7d)
    }
    out.put("]}")
  }

  private func failure(_ status: Int, _ message: String) -> HTTPResponse {
    var out = ByteWriter(capacity: 256)
    out.put("{\"error\":{\"httpCode\":")
    out.put(decimal: Int64(status))
    out.put(",\"message\":")
    out.put(json: message)
    out.put("}}")
    return HTTPResponse(status, out.array)
  }
}
