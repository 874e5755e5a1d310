import Bytes
import HTTP
import Logging
import Tracing

/// Log records over HTTP: OTLP at `/v1/logs`, in protobuf or JSON, with the limits of spans.
///
/// The records have a separate spool, in which each is a `ResourceLogs` message: a flood of them takes no space from
/// spans, and exporters of spans never see them.
final class LogHTTPReceiver {
  /// The value of the label `receiver`.
  static let name = "otlp"

  private let spool: Spool
  private let metrics: Metrics
  private let log: StructuredLog
  private let limits: SpanLimits
  private let defaultService: String
  private let mark: String

  /// - Parameter mark: the value of ``LoopGuard/header`` in this forwarder's own requests.
  init(
    spool: Spool, metrics: Metrics, log: StructuredLog, limits: SpanLimits, defaultService: String,
    mark: String
  ) {
    self.spool = spool
    self.metrics = metrics
    self.log = log
    self.limits = limits
    self.defaultService = defaultService
    self.mark = mark
  }

  /// `POST /v1/logs` with an `ExportLogsServiceRequest`.
  func answer(_ request: HTTPRequest) -> HTTPResponse {
    guard request.method == "POST" else {
      return HTTPResponse(405, text: "only POST is accepted", allow: "POST")
    }
    let isJSON = request.mediaType == "application/json"
    guard isJSON || request.mediaType == "application/x-protobuf" else {
      return HTTPResponse(415, text: "the content type must be application/json or application/x-protobuf")
    }
    if request.header(LoopGuard.header.lowercased()) == mark { return returned }
    if let refusal = SpanHTTPReceiver.compressed(request) { return refusal }
    do throws(CodecError) {
      return try take(request, isJSON)
    } catch {
      metrics.add(.logsRejected, error.reason.label)
      let message = "the request cannot be decoded: \(error.reason.rawValue), at byte \(error.offset)"
      return Self.answer(400, OTLPResponse.invalidArgument(message, isJSON: isJSON), isJSON)
    }
  }

  private var returned: HTTPResponse {
    metrics.add(.logsRejected, "loop")
    log.limited(
      .error, by: "loop", "a request of this forwarder came back to it and was refused",
      ["path": "/v1/logs", "remedy": "give the exporter the collector's address"])
    return HTTPResponse(508, text: "this forwarder sent the request itself")
  }

  private func take(_ request: HTTPRequest, _ isJSON: Bool) throws(CodecError) -> HTTPResponse {
    var records = ByteWriter(capacity: request.body.count + 1024)
    var (count, refused, reason) = (0, 0, "")
    let provenance = LogProvenance(
      marks: [("kata.receiver", Self.name)], defaultService: defaultService,
      renamesClaims: !request.isLocal)
    var binary = ByteWriter(capacity: isJSON ? request.body.count : 64)
    try request.body.withBytes { bytes throws(CodecError) in
      if isJSON { try OTLPLogs.putProtobuf(json: bytes, to: &binary) }
      try OTLPLogs.decodeRequest(
        isJSON ? binary.bytes : bytes, limits: limits, provenance: provenance,
        refused: { error in
          refused += 1
          reason = error.reason.rawValue
          metrics.add(.logsRejected, error.reason.label)
        },
        { record in
          count += 1
          spool.key.append(record, to: &records)
        })
    }
    do throws(SpoolRefusal) {
      try spool.append(records.bytes, count: count)
    } catch {
      if case .failed(let error) = error {
        log.limited(
          .error, by: "logs spool", "the spool of logs cannot be written", ["error": error.description])
      }
      return HTTPResponse(503, text: "the spool of logs accepts nothing at the moment", retryAfter: 1)
    }
    // Only now: a sender that was told to retry is not counted twice.
    metrics.add(.logsReceived, Self.name, count + refused)
    if refused > 0 {
      log.limited(
        .warning, by: "otlp logs", "log records were left out", ["count": String(refused), "reason": reason])
    }
    return Self.answer(
      200, OTLPResponse.partialSuccess(rejected: refused, message: reason, isJSON: isJSON, ofLogs: true),
      isJSON)
  }

  private static func answer(_ status: Int, _ body: [UInt8], _ isJSON: Bool) -> HTTPResponse {
    isJSON ? HTTPResponse(status, body) : HTTPResponse(status, type: "application/x-protobuf", body)
  }
}
