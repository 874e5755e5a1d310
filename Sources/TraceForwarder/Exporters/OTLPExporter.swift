import Bytes
import Tracing

/// OTLP over HTTP to a collector.
final class OTLPExporter: SpanExporter {
  private let context: ExporterContext
  private let client: HTTPClient
  private let usesJSON: Bool
  private var body = ByteWriter(capacity: 256 << 10)
  private var span = Span()

  init(_ context: ExporterContext, _ options: HTTPClient.Options, usesJSON: Bool) throws(ExportFailure) {
    self.context = context
    self.usesJSON = usesJSON
    do throws(HTTPClient.Failure) { client = try HTTPClient(options, deadline: context.deadline) } catch {
      throw ExportFailure(error.reason)
    }
  }

  func export(_ batch: SpoolBatch) throws(ExportFailure) { try send(batch.payloads[...], of: batch) }

  private func send(_ payloads: ArraySlice<Range<Int>>, of batch: SpoolBatch) throws(ExportFailure) {
    guard !payloads.isEmpty else { return }
    encode(payloads, of: batch)
    let answer: HTTPClient.Answer
    do throws(HTTPClient.Failure) {
      answer = try client.post(body.bytes, type: usesJSON ? "application/json" : "application/x-protobuf")
    } catch {
      throw ExportFailure(error.reason)
    }
    switch answer.status {
    case 200..<300: partialSuccess(answer.body)
    case 429, 502, 503, 504:
      throw ExportFailure(
        "the collector answered \(answer.status)", retryAfter: answer.retryAfter.map { $0 * 1000 })
    case 413 where payloads.count > 1:
      let middle = payloads.startIndex + payloads.count / 2
      try send(payloads[..<middle], of: batch)
      try send(payloads[middle...], of: batch)
    default:
      context.metrics.add(.refused, context.name, payloads.count)
      context.log.limited(
        .error, by: context.name, "the collector refused spans for good",
        [
          "exporter": context.name, "status": String(answer.status), "count": String(payloads.count),
          "answer": String(decoding: answer.body.prefix(200), as: UTF8.self),
        ])
    }
  }

  /// The spool's records are OTLP already: a request is a list of them.
  private func encode(_ payloads: ArraySlice<Range<Int>>, of batch: SpoolBatch) {
    body.removeAll()
    batch.bytes.withUnsafeBytes { bytes in
      if usesJSON { body.put("{\"resourceSpans\":[") }
      var isFirst = true
      for range in payloads {
        let payload = UnsafeRawBufferPointer(rebasing: bytes[range])
        if usesJSON {
          guard context.decode(payload, into: &span) else { continue }
          if !isFirst { body.put(0x2c) }
          isFirst = false
          OTLPJSON.encodeResourceSpans(span, to: &body)
        } else {
          body.put(OTLPProtobuf.resourceSpansTag)
          body.varint(UInt64(payload.count))
          body.put(payload)
        }
      }
      if usesJSON { body.put("]}") }
    }
  }

  private func partialSuccess(_ answer: [UInt8]) {
    guard let (rejected, message) = OTLPResponse.partialSuccess(answer, isJSON: usesJSON),
      rejected > 0 || !message.isEmpty
    else { return }
    context.metrics.add(.refused, context.name, rejected)
    context.log.limited(
      .warning, by: context.name, "the collector took a batch in part",
      ["exporter": context.name, "rejected": String(rejected), "message": message])
  }
}
