import Bytes
import HTTP
import Logging
import Tracing

/// Spans over HTTP: Jaeger's Thrift at `/api/traces`, OTLP at `/v1/traces`.
final class SpanHTTPReceiver {
  private let intake: SpanIntake
  private let metrics: Metrics
  private let log: StructuredLog
  private let limits: SpanLimits
  private let defaultService: String
  private var loops: LoopGuard

  init(
    spool: Spool, metrics: Metrics, log: StructuredLog, limits: SpanLimits, defaultService: String,
    loops: LoopGuard
  ) {
    intake = SpanIntake(spool: spool)
    self.metrics = metrics
    self.log = log
    self.limits = limits
    self.defaultService = defaultService
    self.loops = loops
  }

  /// `POST /api/traces` with a bare `Batch` in Thrift's binary protocol.
  func jaeger(_ request: HTTPRequest) -> HTTPResponse {
    guard request.path == "/api/traces" else {
      return HTTPResponse(404, text: "not found: only POST /api/traces is served here")
    }
    guard request.method == "POST" else {
      return HTTPResponse(405, text: "only POST is accepted", allow: "POST")
    }
    guard ["application/x-thrift", "application/vnd.apache.thrift.binary"].contains(request.mediaType) else {
      return HTTPResponse(415, text: "the content type must be application/x-thrift")
    }
    if let refusal = returned(request) ?? compressed(request) { return refusal }
    let result = decode(request, "jaeger") { refused, take throws(CodecError) in
      try request.body.withBytes { bytes throws(CodecError) in
        try JaegerThrift.decodeBatch(bytes, limits: limits, refused: refused, take)
      }
    }
    switch result {
    case .broken(let error):
      return HTTPResponse(
        400, text: "the batch cannot be decoded: \(error.reason.rawValue), at byte \(error.offset)")
    case .busy: return Self.busy
    case .taken(_, let refused, let reason) where refused > 0:
      log.limited(
        .warning, by: "jaeger", "spans were left out", ["count": String(refused), "reason": reason])
      return HTTPResponse(202)
    case .taken: return HTTPResponse(202)
    }
  }

  /// `POST /v1/traces` with an `ExportTraceServiceRequest` in protobuf or JSON.
  func otlp(_ request: HTTPRequest) -> HTTPResponse {
    guard request.path == "/v1/traces" else {
      return HTTPResponse(404, text: "not found: only POST /v1/traces is served here")
    }
    guard request.method == "POST" else {
      return HTTPResponse(405, text: "only POST is accepted", allow: "POST")
    }
    let isJSON = request.mediaType == "application/json"
    guard isJSON || request.mediaType == "application/x-protobuf" else {
      return HTTPResponse(415, text: "the content type must be application/json or application/x-protobuf")
    }
    if let refusal = returned(request) ?? compressed(request) { return refusal }
    let result = decode(request, "otlp") { refused, take throws(CodecError) in
      try request.body.withBytes { bytes throws(CodecError) in
        if isJSON {
          try OTLPJSON.decodeRequest(bytes, limits: limits, refused: refused, take)
        } else {
          try OTLPProtobuf.decodeRequest(bytes, limits: limits, refused: refused, take)
        }
      }
    }
    switch result {
    case .broken(let error):
      let message = "the request cannot be decoded: \(error.reason.rawValue), at byte \(error.offset)"
      return Self.answer(400, OTLPResponse.invalidArgument(message, isJSON: isJSON), isJSON)
    case .busy: return Self.busy
    case .taken(_, let refused, let reason): return otlpAnswer(refused, reason, isJSON)
    }
  }

  // MARK: Answers

  private static var busy: HTTPResponse {
    HTTPResponse(503, text: "the spool is not accepting spans at the moment", retryAfter: 1)
  }

  /// The answer to a request from one of the own exporters. Its spans stay in the spool, as no other program has them.
  private func returned(_ request: HTTPRequest) -> HTTPResponse? {
    guard loops.isOwn(request) else { return nil }
    metrics.add(.rejected, "loop")
    log.limited(
      .error, by: "loop", "a request of this forwarder came back to it and was refused",
      ["path": request.path, "remedy": "give the exporter the collector's address"])
    return HTTPResponse(508, text: "this forwarder sent the request itself")
  }

  private func reportReturned(_ count: Int, _ receiver: String) {
    guard count > 0 else { return }
    metrics.add(.rejected, "loop", count)
    log.limited(
      .error, by: "loop", "spans came back to this forwarder and were dropped: it has them already",
      [
        "receiver": receiver, "count": String(count),
        "remedy": "configure the collectors that this forwarder sends to so that they do not send back to it",
      ])
  }

  private func compressed(_ request: HTTPRequest) -> HTTPResponse? {
    guard let coding = request.header("content-encoding")?.lowercased(), coding != "identity", !coding.isEmpty
    else { return nil }
    return HTTPResponse(
      415, type: "text/plain; charset=utf-8",
      Array("the body is compressed (\(coding)), which is not accepted: send it uncompressed\n".utf8),
      headers: [("Accept-Encoding", "identity")])
  }

  /// `ExportTraceServiceResponse`, with what was refused.
  private func otlpAnswer(_ refused: Int, _ reason: String, _ isJSON: Bool) -> HTTPResponse {
    if refused > 0 {
      log.limited(
        .warning, by: "otlp", "spans were left out", ["count": String(refused), "reason": reason])
    }
    return Self.answer(
      200, OTLPResponse.partialSuccess(rejected: refused, message: reason, isJSON: isJSON), isJSON)
  }

  private static func answer(_ status: Int, _ body: [UInt8], _ isJSON: Bool) -> HTTPResponse {
    isJSON ? HTTPResponse(status, body) : HTTPResponse(status, type: "application/x-protobuf", body)
  }

  // MARK: Taking

  private enum Result {
    case taken(Int, refused: Int, reason: String)
    case broken(CodecError)
    case busy
  }

  private func decode(
    _ request: HTTPRequest, _ receiver: String,
    _ run: ((CodecError) -> Void, (inout Span) -> Void) throws(CodecError) -> Void
  ) -> Result {
    var returned = 0
    var refused = 0
    var reason = ""
    var batch = SpanBatch(capacity: request.body.count + 1024)
    let provenance = SpanProvenance(
      receiver: receiver, isLocal: request.isLocal, defaultService: defaultService, limits)
    do throws(CodecError) {
      try run(
        { error in
          refused += 1
          reason = error.reason.rawValue
          metrics.add(.rejected, error.reason.label)
        },
        { span in
          if loops.hasSeen(span) {
            returned += 1
            return
          }
          provenance.mark(&span)
          batch.add { intake.encode(span, to: &$0) }
        })
    } catch {
      loops.discard()
      metrics.add(.rejected, error.reason.label)
      return .broken(error)
    }
    do throws(SpoolRefusal) {
      try intake.append(batch)
    } catch {
      loops.discard()
      if case .failed(let error) = error {
        log.limited(.error, by: "spool", "the spool cannot be written", ["error": error.description])
      }
      return .busy
    }
    loops.commit()
    reportReturned(returned, receiver)
    // Only now: a sender that was told to retry is not counted twice.
    metrics.add(.received, receiver, batch.count + returned + refused)
    metrics.add(.decoded, receiver, batch.count)
    return .taken(batch.count, refused: refused, reason: reason)
  }
}

extension HTTPResponse {
  init(_ status: Int, text: String, allow: String) {
    self.init(status, text: text)
    headers.append(("Allow", allow))
  }
}
