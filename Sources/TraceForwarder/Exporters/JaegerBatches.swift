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
  private var one = ByteWriter(capacity: 16 << 10)
  private var count = 0

  init(_ context: ExporterContext, _ format: ThriftProtocol, limit: Int) {
    self.context = context
    self.format = format
    self.limit = limit
  }

  /// Hands every batch and the number of its spans to `send`. A span that alone is over the limit is counted and left out.
  mutating func send(
    _ batch: SpoolBatch, _ send: (UnsafeRawBufferPointer, Int) throws(ExportFailure) -> Void
  ) throws(ExportFailure) {
    for range in batch.payloads {
      let isGood = batch.bytes.withUnsafeBytes {
        context.decode(UnsafeRawBufferPointer(rebasing: $0[range]), into: &span)
      }
      guard isGood else { continue }
      var next = ByteWriter(capacity: 512)
      JaegerThrift.encodeProcess(of: span, defaultService: context.defaultService, as: format, to: &next)
      one.removeAll()
      JaegerThrift.encode(span, as: format, to: &one)
      guard next.count + one.count + JaegerThrift.batchOverhead <= limit else {
        context.metrics.add(.refused, context.name)
        context.log.limited(
          .warning, by: context.name, "a span is too large for a datagram and was left out",
          ["exporter": context.name, "bytes": String(one.count), "limit": String(limit)])
        continue
      }
      let bytes = next.array
      if count > 0,
        bytes != process || bytes.count + spans.count + one.count + JaegerThrift.batchOverhead > limit
      {
        try finish(send)
      }
      process = bytes
      spans.put(one.bytes)
      count += 1
    }
    try finish(send)
  }

  private mutating func finish(_ send: (UnsafeRawBufferPointer, Int) throws(ExportFailure) -> Void)
    throws(ExportFailure)
  {
    guard count > 0 else { return }
    var message = ByteWriter(capacity: process.count + spans.count + 64)
    process.withUnsafeBytes { process in
      JaegerThrift.batch(process: process, spans: spans.bytes, count: count, as: format, to: &message)
    }
    let number = count
    spans.removeAll()
    count = 0
    try send(message.bytes, number)
  }
}
