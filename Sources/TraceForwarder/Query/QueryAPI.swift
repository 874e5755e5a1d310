import Basics
import Tracing

/// Jaeger's query API: the first generation under `/api`, the third under `/api/v3`, and the page at `/`. See
/// `formats/jaeger-json`.
final class QueryAPI {
  private let index: TraceIndex
  private let defaultService: String
  private let third: QueryAPIv3
  /// The most traces that one search answers with, whatever it asks for.
  static let mostTraces = 1500

  init(_ index: TraceIndex, defaultService: String) {
    self.index = index
    self.defaultService = defaultService
    third = QueryAPIv3(index)
  }

  func answer(_ request: HTTPRequest) -> HTTPResponse? {
    let path = request.path.split(separator: "/").map(String.init)
    if path == ["api", "transform"] {
      guard request.method == "POST" else {
        return HTTPResponse(405, text: "only POST is taken", allow: "POST")
      }
      return transform(request.body)
    }
    if path.isEmpty || path == ["search"] || path.first == "trace" {
      return read(request) {
        HTTPResponse(200, type: "text/html; charset=utf-8", TracePage.html, headers: TracePage.headers)
      }
    }
    if path == ["page.js"] {
      return read(request) {
        HTTPResponse(
          200, type: "text/javascript; charset=utf-8", TracePage.script, headers: TracePage.headers)
      }
    }
    guard path.first == "api" else { return nil }
    if path.dropFirst().first == "v3" {
      return read(request) { third.answer(request, Array(path.dropFirst(2))) }
    }
    return read(request) { first(request, Array(path.dropFirst())) }
  }

  private func read(_ request: HTTPRequest, _ body: () -> HTTPResponse) -> HTTPResponse {
    guard request.method == "GET" || request.method == "HEAD" else {
      return HTTPResponse(405, text: "only GET is taken", allow: "GET, HEAD")
    }
    return body()
  }

  private func first(_ request: HTTPRequest, _ path: [String]) -> HTTPResponse {
    switch (path.first, path.count) {
    case ("services", 1): return envelope(strings: index.services)
    case ("services", 3) where path[2] == "operations":
      return envelope(strings: Array(Set(index.operations(of: path[1]).map(\.name))).sorted())
    case ("operations", 1): return operations(request)
    case ("traces", 1): return search(request)
    case ("traces", 2): return trace(path[1])
    case ("dependencies", 1): return dependencies(request)
    default: return failure(404, "no such endpoint")
    }
  }

  // MARK: Endpoints

  private func operations(_ request: HTTPRequest) -> HTTPResponse {
    guard let service = request.parameter("service"), !service.isEmpty else {
      return failure(400, "parameter 'service' is required")
    }
    let kind = request.parameter("spanKind") ?? ""
    let found = index.operations(of: service).filter { kind.isEmpty || $0.kind.jaegerName == kind }
    return envelope(total: found.count) { out in
      for (number, operation) in found.enumerated() {
        if number > 0 { out.put(0x2c) }
        out.put("{\"name\":")
        out.put(json: operation.name)
        out.put(",\"spanKind\":")
        out.put(json: operation.kind.jaegerName)
        out.put(0x7d)
      }
    }
  }

  private func search(_ request: HTTPRequest) -> HTTPResponse {
    let ids = request.parameters("traceID")
    if !ids.isEmpty {
      var found: [Trace] = []
      for text in ids {
        guard let id = TraceID(hex: text) else { return failure(400, "\"\(text)\" is no trace id") }
        if let trace = index.trace(id) { found.append(trace) }
      }
      return traces(found)
    }
    var query = TraceQuery()
    guard let service = request.parameter("service"), !service.isEmpty else {
      return failure(400, "parameter 'service' is required")
    }
    query.service = service
    if let operation = request.parameter("operation"), !operation.isEmpty, operation != "all" {
      query.operation = operation
    }
    if let problem = setTimes(request, &query) ?? setTags(request, &query) { return failure(400, problem) }
    if let text = request.parameter("limit"), !text.isEmpty {
      guard let limit = Int(text), limit > 0 else { return failure(400, "\"\(text)\" is no limit") }
      query.limit = min(limit, Self.mostTraces)
    }
    return traces(query.run(index))
  }

  /// What is wrong with the parameters of time; nil when nothing is.
  private func setTimes(_ request: HTTPRequest, _ query: inout TraceQuery) -> String? {
    for (name, path) in [("start", \TraceQuery.start), ("end", \TraceQuery.end)] {
      guard let text = request.parameter(name), !text.isEmpty else { continue }
      guard let value = UInt64(text) else { return "\"\(text)\" is no number of microseconds: \(name)" }
      query[keyPath: path] = value.multipliedReportingOverflow(by: 1000).overflow ? .max : value * 1000
    }
    if let text = request.parameter("lookback"), !text.isEmpty, text != "custom",
      request.parameter("start") == nil
    {
      guard let value = GoDuration.parse(text.hasSuffix("d") ? "\((Int(text.dropLast()) ?? 1) * 24)h" : text)
      else {
        return "\"\(text)\" is no duration: lookback"
      }
      query.start = WallClock.nanoseconds - min(WallClock.nanoseconds, value)
    }
    for (name, path) in [("minDuration", \TraceQuery.minDuration), ("maxDuration", \TraceQuery.maxDuration)] {
      guard let text = request.parameter(name), !text.isEmpty else { continue }
      guard let value = GoDuration.parse(text) else { return "\"\(text)\" is no duration: \(name)" }
      query[keyPath: path] = value
    }
    return nil
  }

  private func setTags(_ request: HTTPRequest, _ query: inout TraceQuery) -> String? {
    for text in request.parameters("tag") {
      guard let colon = text.firstIndex(of: ":") else { return "\"\(text)\" is no tag: it must be key:value" }
      query.tags.append((String(text[..<colon]), String(text[text.index(after: colon)...])))
    }
    for text in request.parameters("tags") where !text.isEmpty {
      guard let tags = JSONPairs.parse(text) else { return "\"\(text)\" is no JSON object of texts: tags" }
      query.tags += tags
    }
    return nil
  }

  private func trace(_ text: String) -> HTTPResponse {
    guard let id = TraceID(hex: text) else { return failure(400, "\"\(text)\" is no trace id") }
    guard let trace = index.trace(id) else { return failure(404, "trace not found", traceID: text) }
    return traces([trace])
  }

  private func dependencies(_ request: HTTPRequest) -> HTTPResponse {
    guard let end = UInt64(request.parameter("endTs") ?? String(WallClock.nanoseconds / 1_000_000)) else {
      return failure(400, "endTs is no number of milliseconds")
    }
    guard let lookback = UInt64(request.parameter("lookback") ?? "86400000") else {
      return failure(400, "lookback is no number of milliseconds")
    }
    let last = end.multipliedReportingOverflow(by: 1_000_000)
    let first = (end - min(end, lookback)).multipliedReportingOverflow(by: 1_000_000)
    var counts: [[String]: Int] = [:]
    for id in index.traces(
      service: nil, from: first.overflow ? .max : first.partialValue,
      to: last.overflow ? .max : last.partialValue
    ).prefix(5000) {
      guard let trace = index.trace(id) else { continue }
      var services: [UInt64: String] = [:]
      for span in trace.spans { services[span.spanID.value] = span.serviceName }
      for span in trace.spans {
        guard let parent = services[span.parentID.value], parent != span.serviceName else { continue }
        counts[[parent, span.serviceName], default: 0] += 1
      }
    }
    let sorted = counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    return envelope(total: sorted.count) { out in
      for (number, (pair, count)) in sorted.enumerated() {
        if number > 0 { out.put(0x2c) }
        out.put("{\"parent\":")
        out.put(json: pair[0])
        out.put(",\"child\":")
        out.put(json: pair[1])
        out.put(",\"callCount\":")
        out.put(decimal: Int64(count))
        out.put(0x7d)
      }
    }
  }

  private func transform(_ body: [UInt8]) -> HTTPResponse {
    var order: [TraceID] = []
    var spans: [TraceID: [Span]] = [:]
    do throws(DecodingError) {
      try body.withBytes { bytes throws(DecodingError) in
        try OTLPJSON.decodeRequest(bytes, refused: { _ in }) { span in
          if spans[span.traceID] == nil { order.append(span.traceID) }
          spans[span.traceID, default: []].append(span)
        }
      }
    } catch {
      return failure(400, "the body is no OTLP JSON: \(error.reason.rawValue), at byte \(error.offset)")
    }
    return traces(order.map { id in Trace(id: id, spans: (spans[id] ?? []).sorted { $0.start < $1.start }) })
  }

  // MARK: Answers

  private func traces(_ traces: [Trace]) -> HTTPResponse {
    envelope(total: 0) { out in
      for (number, trace) in traces.enumerated() {
        if number > 0 { out.put(0x2c) }
        put(trace, &out)
      }
    }
  }

  private func put(_ trace: Trace, _ out: inout ByteWriter) {
    let warnings = trace.warnings
    var processes: [[UInt8]] = []
    out.put("{\"traceID\":\"")
    out.put(hex: trace.id)
    out.put("\",\"spans\":[")
    for (number, span) in trace.spans.enumerated() {
      if number > 0 { out.put(0x2c) }
      var process = ByteWriter(capacity: 512)
      JaegerJSON.encodeProcess(of: span, defaultService: defaultService, to: &process)
      let bytes = process.array
      let place = processes.firstIndex(of: bytes) ?? processes.count
      if place == processes.count { processes.append(bytes) }
      JaegerJSON.encode(span, processNumber: place + 1, warnings: warnings[span.spanID.value] ?? [], to: &out)
    }
    out.put("],\"processes\":{")
    for (number, process) in processes.enumerated() {
      if number > 0 { out.put(0x2c) }
      out.put("\"p")
      out.put(decimal: Int64(number + 1))
      out.put("\":")
      out.put(process)
    }
    out.put("},\"warnings\":null}")
  }

  private func envelope(strings: [String]) -> HTTPResponse {
    envelope(total: strings.count) { out in
      for (number, text) in strings.enumerated() {
        if number > 0 { out.put(0x2c) }
        out.put(json: text)
      }
    }
  }

  private func envelope(total: Int, _ body: (inout ByteWriter) -> Void) -> HTTPResponse {
    var out = ByteWriter(capacity: 16 << 10)
    out.put("{\"data\":[")
    body(&out)
    out.put("],\"total\":")
    out.put(decimal: Int64(total))
    out.put(",\"limit\":0,\"offset\":0,\"errors\":null}")
    return HTTPResponse(200, out.array)
  }

  private func failure(_ status: Int, _ message: String, traceID: String? = nil) -> HTTPResponse {
    var out = ByteWriter(capacity: 256)
    out.put("{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":[{\"code\":")
    out.put(decimal: Int64(status))
    out.put(",\"msg\":")
    out.put(json: message)
    if let traceID {
      out.put(",\"traceID\":")
      out.put(json: traceID)
    }
    out.put("}]}")
    return HTTPResponse(status, out.array)
  }
}

extension Span.Kind {
  /// The word that Jaeger's tag `span.kind` has for it.
  var jaegerName: String { self == .unspecified ? "" : "\(self)" }
}
