import Bytes
import Encodings
import Tracing

/// What one request took of a batch.
struct EncodedRequest {
  /// The index after the last payload that it took.
  var end: Int
  /// Spans in the request; without any there is nothing to send.
  var spans = 0
  /// The index of the last one of these.
  var lastSpan = 0
  /// Payloads that were consumed but are not spans.
  var unreadable = 0
}

/// Makes requests to a collector of a batch's payloads.
protocol RequestEncoder: AnyObject {
  var contentType: String { get }
  /// Encodes as many of the payloads as fit one request, at least one, in the place of what `body` held.
  func encode(_ payloads: Range<Int>, of batch: SpoolBatch, to body: inout ByteWriter) -> EncodedRequest
  /// Encodes a request without a span.
  func encodeEmpty(to body: inout ByteWriter)
  /// Number of spans that the answer to an accepted request says were rejected, and why.
  func rejected(_ answer: [UInt8]) -> (count: Int, message: String)?
}

/// OTLP. The spool's records are OTLP already: a request in protobuf is a list of them.
final class OTLPRequestEncoder: RequestEncoder {
  private let context: ExporterContext
  private let usesJSON: Bool
  private var span = Span()

  init(_ context: ExporterContext, usesJSON: Bool) {
    self.context = context
    self.usesJSON = usesJSON
  }

  var contentType: String { usesJSON ? "application/json" : "application/x-protobuf" }

  func encode(_ payloads: Range<Int>, of batch: SpoolBatch, to body: inout ByteWriter) -> EncodedRequest {
    body.removeAll()
    var request = EncodedRequest(end: payloads.upperBound)
    batch.bytes.withBytes { bytes in
      if usesJSON { body.put("{\"resourceSpans\":[") }
      for range in batch.payloads[payloads] {
        let payload = bytes.part(clamping: range)
        if usesJSON {
          guard context.decode(payload, into: &span) else {
            request.unreadable += 1
            continue
          }
          if request.spans > 0 { body.put(UInt8(ascii: ",")) }
          OTLPJSON.encodeResourceSpans(span, to: &body)
        } else {
          body.put(OTLPProtobuf.resourceSpansTag)
          body.varint(UInt64(payload.count))
          body.put(payload)
        }
        request.spans += 1
      }
      if usesJSON { body.put("]}") }
    }
    return request
  }

  func encodeEmpty(to body: inout ByteWriter) {
    body.removeAll()
    // In protobuf a message without a field has no byte.
    if usesJSON { body.put("{\"resourceSpans\":[]}") }
  }

  func rejected(_ answer: [UInt8]) -> (count: Int, message: String)? {
    guard let (count, message) = OTLPResponse.partialSuccess(answer, isJSON: usesJSON),
      count > 0 || !message.isEmpty
    else { return nil }
    return (count, message)
  }
}

/// Jaeger's Thrift over HTTP: the batches that the Kata runtimes send, each of one process.
final class ThriftRequestEncoder: RequestEncoder {
  private var batches: JaegerBatches
  private let defaultService: String

  init(_ context: ExporterContext) {
    batches = JaegerBatches(context, .binary, limit: 4 << 20)
    defaultService = context.defaultService
  }

  var contentType: String { "application/x-thrift" }

  func encode(_ payloads: Range<Int>, of batch: SpoolBatch, to body: inout ByteWriter) -> EncodedRequest {
    batches.encode(payloads, of: batch, to: &body)
  }

  func encodeEmpty(to body: inout ByteWriter) {
    body.removeAll()
    var process = ByteWriter(capacity: 256)
    let format = ThriftProtocol.binary
    JaegerThrift.encodeProcess(of: Span(), defaultService: defaultService, as: format, to: &process)
    JaegerThrift.batch(
      process: process.bytes, spans: ByteWriter(capacity: 1).bytes, count: 0, as: format, to: &body)
  }

  func rejected(_ answer: [UInt8]) -> (count: Int, message: String)? { nil }
}
