import Basics
import Tracing

/// The third generation of Jaeger's query API, whose traces are OTLP JSON.
final class QueryAPIv3 {
  private let index: TraceIndex

  init(_ index: TraceIndex) { self.index = index }

  func answer(_ request: HTTPRequest, _ path: [String]) -> HTTPResponse {
    switch (path.first, path.count) {
    case ("services", 1): return services()
    case ("operations", 1): return operations(request)
    case ("traces", 1): return search(request, summaries: false)
    case ("trace-summaries", 1): return search(request, summaries: true)
    case ("traces", 2):
      guard let id = TraceID(hex: path[1]) else { return failure(400, "malformed trace id: \(path[1])") }
      guard let trace = index.trace(id) else { return failure(404, "No traces found") }
      return traces([trace])
    default: return failure(404, "no such endpoint")
    }
  }

  private func services() -> HTTPResponse {
    var out = ByteWriter(capacity: 1024)
    out.put("{\"services\":[")
    for (number, service) in index.services.enumerated() {
      if number > 0 { out.put(0x2c) }
      out.put(json: service)
    }
    out.put("]}")
    return HTTPResponse(200, out.array)
  }

  private func operations(_ request: HTTPRequest) -> HTTPResponse {
    let service = request.parameter("service") ?? ""
    let kind = request.parameter("span_kind") ?? request.parameter("spanKind") ?? ""
    guard !service.isEmpty else { return failure(400, "missing parameter service") }
    var out = ByteWriter(capacity: 1024)
    out.put("{\"operations\":[")
    var number = 0
    for operation in index.operations(of: service) {
      let name = operation.kind == .unspecified ? "internal" : "\(operation.kind)"
      guard kind.isEmpty || kind == name else { continue }
      if number > 0 { out.put(0x2c) }
      number += 1
      out.put("{\"name\":")
      out.put(json: operation.name)
      out.put(",\"spanKind\":")
      out.put(json: name)
      out.put(0x7d)
    }
    out.put("]}")
    return HTTPResponse(200, out.array)
  }

  private func search(_ request: HTTPRequest, summaries: Bool) -> HTTPResponse {
    var query = TraceQuery()
    if let problem = fill(&query, request) { return failure(400, problem) }
    let found = query.run(index)
    if summaries { return self.summaries(found) }
    return found.isEmpty ? failure(404, "No traces found") : traces(found)
  }

  /// What is wrong with the parameters; nil when nothing is. Names are taken in camel case and, as older clients send
  /// them, with underscores.
  private func fill(_ query: inout TraceQuery, _ request: HTTPRequest) -> String? {
    func value(_ name: String, _ old: String) -> String? {
      let text = request.parameter("query.\(name)") ?? request.parameter("query.\(old)")
      return text?.isEmpty == true ? nil : text
    }
    query.service = value("serviceName", "service_name")
    query.operation = value("operationName", "operation_name")
    for (name, old, path) in [
      ("startTimeMin", "start_time_min", \TraceQuery.start),
      ("startTimeMax", "start_time_max", \TraceQuery.end),
    ] {
      guard let text = value(name, old) else { return "query.\(name) is required" }
      guard let time = Self.nanoseconds(text) else { return "query.\(name) is no time of RFC 3339: \(text)" }
      query[keyPath: path] = time
    }
    for (name, old, path) in [
      ("durationMin", "duration_min", \TraceQuery.minDuration),
      ("durationMax", "duration_max", \TraceQuery.maxDuration),
    ] {
      guard let text = value(name, old) else { continue }
      guard let duration = GoDuration.parse(text) else { return "query.\(name) is no duration: \(text)" }
      query[keyPath: path] = duration
    }
    if let text = value("searchDepth", "search_depth") ?? value("numTraces", "num_traces") {
      guard let limit = Int(text), limit > 0 else { return "query.searchDepth is no number: \(text)" }
      query.limit = min(limit, QueryAPI.mostTraces)
    }
    if let text = value("attributes", "attributes") {
      guard let tags = JSONPairs.parse(text) else {
        return "query.attributes is no JSON object of texts: \(text)"
      }
      query.tags = tags
    }
    return nil
  }

  private static func nanoseconds(_ text: String) -> UInt64? {
    var text = text
    let time = text.withUTF8 { Timestamp.parse(rfc3339: $0) }
    guard let time, time.seconds >= 0 else { return nil }
    return UInt64(time.seconds) &* 1_000_000_000 &+ UInt64(time.nanoseconds)
  }

  private func traces(_ traces: [Trace]) -> HTTPResponse {
    var out = ByteWriter(capacity: 64 << 10)
    out.put("{\"result\":{\"resourceSpans\":[")
    var number = 0
    for trace in traces {
      for span in trace.spans {
        if number > 0 { out.put(0x2c) }
        number += 1
        OTLPJSON.encodeResourceSpans(span, to: &out)
      }
    }
    out.put("]}}")
    return HTTPResponse(200, out.array)
  }

  private func summaries(_ traces: [Trace]) -> HTTPResponse {
    var out = ByteWriter(capacity: 16 << 10)
    out.put("{\"summaries\":[")
    for (number, trace) in traces.enumerated() {
      if number > 0 { out.put(0x2c) }
      put(trace, &out)
    }
    out.put("]}")
    return HTTPResponse(200, out.array)
  }

  private func put(_ trace: Trace, _ out: inout ByteWriter) {
    let ids = Set(trace.spans.map(\.spanID.value))
    let services = Dictionary(grouping: trace.spans, by: \.serviceName)
    out.put("{\"traceId\":\"")
    out.put(hex: trace.id)
    out.put("\",\"rootServiceName\":")
    out.put(json: trace.root?.serviceName ?? "")
    out.put(",\"rootOperationName\":")
    out.put(json: trace.root.map { $0.string($0.name) } ?? "")
    out.put(",\"minStartTimeUnixNano\":\"")
    out.put(decimal: trace.spans.map(\.start).min() ?? 0)
    out.put("\",\"maxEndTimeUnixNano\":\"")
    out.put(decimal: trace.spans.map(\.end).max() ?? 0)
    out.put("\",\"spanCount\":")
    out.put(decimal: Int64(trace.spans.count))
    out.put(",\"errorSpanCount\":")
    out.put(decimal: Int64(trace.spans.filter { $0.status == .error }.count))
    out.put(",\"orphanSpanCount\":")
    out.put(
      decimal: Int64(trace.spans.filter { !$0.parentID.isZero && !ids.contains($0.parentID.value) }.count))
    out.put(",\"services\":[")
    for (number, (service, spans)) in services.sorted(by: { $0.key < $1.key }).enumerated() {
      if number > 0 { out.put(0x2c) }
      out.put("{\"name\":")
      out.put(json: service)
      out.put(",\"spanCount\":")
      out.put(decimal: Int64(spans.count))
      out.put(",\"errorSpanCount\":")
      out.put(decimal: Int64(spans.filter { $0.status == .error }.count))
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
