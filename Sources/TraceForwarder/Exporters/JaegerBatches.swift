import Bytes
import Encodings
import Tracing

/// Puts spans of one process into Thrift batches of bounded size.
struct JaegerBatches: ~Copyable {
  private let context: ExporterContext
  private let format: ThriftProtocol
  private let limit: Int
  private var span = Span()
  private var process: [UInt8] = []
  private var spans = ByteWriter(capacity: 64 << 10)
  private var next = ByteWriter(capacity: 512)
  private var one = ByteWriter(capacity: 16 << 10)
  /// Which payload ``next`` and ``one`` have the process and the span of.
  private var ahead: (batch: SpoolPosition, index: Int)?

  init(_ context: ExporterContext, _ format: ThriftProtocol, limit: Int) {
    self.context = context
    self.format = format
    self.limit = limit
  }

  /// Encodes a batch of the first payloads: as many as are of one process and within the limit. A span that alone is over
  /// the limit is alone in a batch.
  mutating func encode(_ payloads: Range<Int>, of batch: SpoolBatch, to message: inout ByteWriter)
    -> EncodedRequest
  {
    message.removeAll()
    spans.removeAll()
    var request = EncodedRequest(end: payloads.lowerBound)
    while request.end < payloads.upperBound {
      guard prepare(request.end, of: batch) else {
        request.unreadable += 1
        request.end += 1
        continue
      }
      if request.spans == 0 {
        process = next.array
      } else if next.count + spans.count + one.count + JaegerThrift.batchOverhead > limit
        || !process.elementsEqual(next.bytes)
      {
        // It begins the next batch.
        ahead = (batch.start, request.end)
        break
      }
      spans.put(one.bytes)
      request.spans += 1
      request.lastSpan = request.end
      request.end += 1
    }
    guard request.spans > 0 else { return request }
    process.withUnsafeBytes { process in
      JaegerThrift.batch(
        process: process, spans: spans.bytes, count: request.spans, as: format, to: &message)
    }
    return request
  }

  /// Encodes the process and the span of a payload; false if that is not a span.
  private mutating func prepare(_ index: Int, of batch: SpoolBatch) -> Bool {
    defer { ahead = nil }
    if let ahead, ahead.batch == batch.start, ahead.index == index { return true }
    let range = batch.payloads[index]
    guard batch.bytes.withPart(range, { context.decode($0, into: &span) }) else { return false }
    next.removeAll()
    JaegerThrift.encodeProcess(of: span, defaultService: context.defaultService, as: format, to: &next)
    one.removeAll()
    JaegerThrift.encode(span, as: format, to: &one)
    return true
  }
}
