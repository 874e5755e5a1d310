import Bytes
import Encodings
import HTTP
import System
import Tracing

/// Jaeger's query API: version 1, under `/api`, and the way to version 3 and to the page. See
/// `formats/query-api`.
final class QueryAPI {
  private let index: TraceIndex
  private let defaultService: String
  private let v3: QueryAPIv3
  private let limits: AnswerLimits

  init(_ index: TraceIndex, defaultService: String, limits: AnswerLimits = AnswerLimits()) {
    self.index = index
    self.defaultService = defaultService
    self.limits = limits
    v3 = QueryAPIv3(index, limits)
  }

  /// Whether a request is answered without reading a span: names, and files of the page.
  static func isCheap(_ request: HTTPRequest) -> Bool {
    let path = request.segments
    guard path.first == "api" else { return true }
    let name = path.dropFirst(path.dropFirst().first == "v3" ? 2 : 1).first
    return name == "services" || name == "operations"
  }

  func answer(_ request: HTTPRequest) -> HTTPResponse {
    let path = request.segments
    let allowed = path == ["api", "transform"] ? ["POST"] : ["GET", "HEAD"]
    guard allowed.contains(request.method) else {
      var response = failure(405, "only \(allowed[0]) is accepted here")
      response.headers.append(("Allow", allowed.joined(separator: ", ")))
      return response
    }
    if path.first != "api" {
      return TracePage.answer(path, request.query) ?? failure(404, "there is no such page or endpoint")
    }
    if path.dropFirst().first == "v3" { return v3.answer(request, Array(path.dropFirst(2))) }
    return answerV1(request, Array(path.dropFirst()))
  }

  private func answerV1(_ request: HTTPRequest, _ path: [String]) -> HTTPResponse {
    switch (path.first, path.count) {
    case ("services", 1): return envelope(strings: index.services)
    case ("services", 3...) where path.last == "operations":
      // A proxy may have taken the escapes from a name with slashes.
      return operations(ofService: path[1..<path.count - 1].joined(separator: "/"))
    case ("operations", 1): return operations(request)
    case ("traces", 1): return search(request)
    case ("traces", 2): return trace(path[1])
    case ("dependencies", 1): return dependencies(request)
    case ("transform", 1): return transform(request.body)
    default: return failure(404, "there is no such endpoint")
    }
  }

  // MARK: Services and operations

  private func operations(ofService service: String) -> HTTPResponse {
    envelope(strings: Set(index.operations(of: service).map(\.name)).sorted())
  }

  private func operations(_ request: HTTPRequest) -> HTTPResponse {
    guard let service = request.parameter("service"), !service.isEmpty else {
      return failure(400, "parameter 'service' is required")
    }
    let kind = request.parameter("spanKind") ?? ""
    let found = index.operations(of: service).filter { kind.isEmpty || $0.kind.word == kind }
    return envelope(total: found.count) { out in
      out.put(list: found) { operation, out in
        out.put("{\"name\":")
        out.put(json: operation.name)
        out.put(",\"spanKind\":")
        out.put(json: operation.kind.word ?? "")
        out.put(0x7d)
      }
    }
  }

  // MARK: Traces

  private func search(_ request: HTTPRequest) -> HTTPResponse {
    let ids = request.parameters("traceID").filter { !$0.isEmpty }
    if !ids.isEmpty { return traces(ids) }
    do throws(ParameterError) {
      let query = try TraceQuery(v1: request)
      let reader = SpanReader(index.spool, limits)
      let (found, isCut) = query.run(index, reader)
      return traces(found, reader, isCut ? [Self.cut(reader)] : [])
    } catch {
      return failure(400, error.message)
    }
  }

  private func traces(_ ids: [String]) -> HTTPResponse {
    let reader = SpanReader(index.spool, limits)
    var found: [Trace] = []
    var problems: [AnswerError] = []
    for text in Set(ids.prefix(TraceQuery.mostTraces)).sorted() {
      guard let id = TraceID(hex: text) else {
        return failure(400, "cannot parse traceID param: \"\(text)\"")
      }
      if reader.isExhausted {
        problems.append(AnswerError(message: Self.cut(reader).message, traceID: id.description))
      } else if let trace = index.entry(id).flatMap({ Trace(id, $0, reader) }) {
        found.append(trace)
      } else {
        problems.append(AnswerError(message: "trace not found", traceID: id.description))
      }
    }
    return traces(found, reader, problems)
  }

  private func trace(_ text: String) -> HTTPResponse {
    guard let id = TraceID(hex: text) else { return failure(400, "\"\(text)\" is not a trace id") }
    let reader = SpanReader(index.spool, limits)
    guard let trace = index.entry(id).flatMap({ Trace(id, $0, reader) }) else {
      return failure(404, "trace not found", traceID: text)
    }
    return traces([trace], reader)
  }

  private func transform(_ body: [UInt8]) -> HTTPResponse {
    var order: [TraceID] = []
    var positions: [TraceID: [SpoolPosition]] = [:]
    var records = ByteWriter()
    var payload = ByteWriter()
    var count = 0
    var refused = 0
    do throws(CodecError) {
      try body.withBytes { bytes throws(CodecError) in
        try OTLPJSON.decodeRequest(bytes, refused: { _ in refused += 1 }) { span in
          count += 1
          guard count <= limits.spans else { return }
          if positions[span.traceID] == nil { order.append(span.traceID) }
          positions[span.traceID, default: []].append(SpoolPosition(segment: 0, offset: records.count))
          payload.removeAll()
          OTLPProtobuf.encode(span, to: &payload)
          SpoolFormat.append(payload.bytes, to: &records)
        }
      }
    } catch {
      return failure(400, "the body is not OTLP JSON: \(error.reason.rawValue), at byte \(error.offset)")
    }
    guard count <= limits.spans else {
      return failure(413, "\(count) spans are too many: the limit is \(limits.spans)")
    }
    let reader = SpanReader(records: records.array, limits)
    // Only translated: nothing is left out or reordered, and there are no warnings.
    let traces = order.map { Trace($0, inOrder: positions[$0] ?? [], reader) }
    return self.traces(
      traces, reader, warns: false,
      refused > 0 ? [AnswerError(message: "\(refused) malformed spans were left out")] : [])
  }

  // MARK: Dependencies

  private func dependencies(_ request: HTTPRequest) -> HTTPResponse {
    var query = TraceQuery()
    do throws(ParameterError) {
      let end = try milliseconds("endTs", request) ?? WallClock.nanoseconds / 1_000_000
      let lookback = try milliseconds("lookback", request) ?? 86_400_000
      query.start = Self.nanoseconds(end - min(end, lookback))
      query.end = Self.nanoseconds(end)
    } catch {
      return failure(400, error.message)
    }
    let only = request.parameter("service") ?? ""
    let reader = SpanReader(index.spool, limits)
    var counts: [[String]: Int] = [:]
    var isCut = false
    for (id, _) in index.candidates(query) {
      isCut = reader.isExhausted
      if isCut { break }
      guard let trace = index.entry(id).flatMap({ Trace(id, $0, reader) }) else { continue }
      for pair in trace.calls where only.isEmpty || pair.contains(only) { counts[pair, default: 0] += 1 }
    }
    let sorted = counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    return envelope(problems: isCut ? [Self.cut(reader)] : []) { out in
      out.put(list: sorted) { link, out in
        out.put("{\"parent\":")
        out.put(json: link.key[0])
        out.put(",\"child\":")
        out.put(json: link.key[1])
        out.put(",\"callCount\":")
        out.put(decimal: Int64(link.value))
        out.put(0x7d)
      }
    }
  }

  private func milliseconds(_ name: String, _ request: HTTPRequest) throws(ParameterError) -> UInt64? {
    guard let text = request.parameter(name), !text.isEmpty else { return nil }
    guard let value = UInt64(text) else {
      throw ParameterError(
        message: "unable to parse param '\(name)': \"\(text)\" is not a number of milliseconds")
    }
    return value
  }

  private static func nanoseconds(_ milliseconds: UInt64) -> UInt64 {
    let (value, isOver) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return isOver ? .max : value
  }

  // MARK: Answers

  /// An entry of an answer's list `errors`.
  private struct AnswerError {
    var code: Int?
    var message: String
    var traceID: String?
  }

  private static func cut(_ reader: SpanReader) -> AnswerError {
    AnswerError(
      message:
        "the answer is incomplete: no more than \(reader.limits.spans) spans of \(reader.limits.recordBytes >> 20) MiB are read for an answer; narrow the search"
    )
  }

  private func traces(
    _ traces: [Trace], _ reader: SpanReader, warns: Bool = true, _ problems: [AnswerError] = []
  ) -> HTTPResponse {
    var problems = problems
    var out = ByteWriter(capacity: 64 << 10)
    out.put("{\"data\":[")
    for (number, trace) in traces.enumerated() {
      if out.count > limits.bytes {
        let left = traces.count - number
        problems.append(
          AnswerError(
            message: "the answer is incomplete: \(left) traces do not fit in \(limits.bytes >> 20) MiB"))
        break
      }
      if number > 0 { out.put(0x2c) }
      let writer = JaegerTraceWriter(defaultService: defaultService, limit: limits.bytes, warns: warns)
      writer.put(trace, reader, &out)
    }
    end(&out, total: 0, problems)
    return HTTPResponse(200, out.array)
  }

  private func envelope(strings: [String]) -> HTTPResponse {
    envelope(total: strings.count) { out in out.put(list: strings) { text, out in out.put(json: text) } }
  }

  private func envelope(total: Int = 0, problems: [AnswerError] = [], _ body: (inout ByteWriter) -> Void)
    -> HTTPResponse
  {
    var out = ByteWriter(capacity: 16 << 10)
    out.put("{\"data\":[")
    body(&out)
    end(&out, total: total, problems)
    return HTTPResponse(200, out.array)
  }

  private func failure(_ status: Int, _ message: String, traceID: String? = nil) -> HTTPResponse {
    var out = ByteWriter(capacity: 256)
    out.put("{\"data\":null")
    tail(&out, total: 0, [AnswerError(code: status, message: message, traceID: traceID)])
    return HTTPResponse(status, out.array)
  }

  private func end(_ out: inout ByteWriter, total: Int, _ problems: [AnswerError]) {
    out.put(0x5d)
    tail(&out, total: total, problems)
  }

  private func tail(_ out: inout ByteWriter, total: Int, _ problems: [AnswerError]) {
    out.put(",\"total\":")
    out.put(decimal: Int64(total))
    out.put(",\"limit\":0,\"offset\":0,\"errors\":")
    if problems.isEmpty { return out.put("null}") }
    out.put(0x5b)
    out.put(list: problems) { problem, out in
      out.put(0x7b)
      if let code = problem.code {
        out.put("\"code\":")
        out.put(decimal: Int64(code))
        out.put(0x2c)
      }
      out.put("\"msg\":")
      out.put(json: problem.message)
      if let traceID = problem.traceID {
        out.put(",\"traceID\":")
        out.put(json: traceID)
      }
      out.put(0x7d)
    }
    out.put("]}")
  }
}

extension Trace {
  /// The pairs of services of which one called the other, once for each call.
  var calls: [[String]] {
    var callers: [UInt64: Int] = [:]
    for span in spans { callers[span.id] = span.service }
    return spans.compactMap { span in
      guard span.parent != 0, let caller = callers[span.parent], caller != span.service else { return nil }
      return [services[caller], services[span.service]]
    }
  }
}
