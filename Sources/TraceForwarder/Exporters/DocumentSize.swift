import Bytes
import Tracing

/// How large the file of Jaeger JSON becomes that is made of the spans so far: their ``TraceDocument``s in one envelope.
///
/// It is never less than what is written. It is more by a few bytes for each number of a process, and by spans that come a
/// second time, which the documents leave out.
struct DocumentSize: ~Copyable {
  private let defaultService: String
  private(set) var bytes = 0
  /// How many processes each trace has, and, by its hash, each process in a trace.
  private var traces: [TraceID: Int] = [:]
  private var processes: Set<Int> = []
  private var scratch = ByteWriter(capacity: 4 << 10)

  private static let envelope = TraceDocument.envelopeStart.count + TraceDocument.envelopeEnd.count
  private static let separator = ",\n".utf8.count
  /// A trace without a span, and what parts it from the next.
  private static let trace: Int = {
    var empty = ByteWriter(capacity: 256)
    TraceDocument(TraceID(high: 0, low: 0)).put(to: &empty)
    return empty.count + separator
  }()

  init(defaultService: String) { self.defaultService = defaultService }

  /// Adds a span, in a document of its own when all would be larger than `limit` otherwise; whether that was so.
  mutating func add(_ span: borrowing Span, limit: Int) -> Bool {
    if addIfFits(span, limit: bytes == 0 ? .max : limit) { return false }
    removeAll()
    _ = addIfFits(span, limit: .max)
    return true
  }

  mutating func removeAll() {
    bytes = 0
    traces.removeAll()
    processes.removeAll()
  }

  private mutating func addIfFits(_ span: borrowing Span, limit: Int) -> Bool {
    scratch.removeAll()
    JaegerJSON.encodeProcess(of: span, defaultService: defaultService, to: &scratch)
    var hasher = Hasher()
    hasher.combine(span.traceID)
    hasher.combine(bytes: scratch.bytes)
    let process = hasher.finalize()
    let isNewProcess = !processes.contains(process)
    let number = traces[span.traceID, default: 0] + (isNewProcess ? 1 : 0)
    let digits = String(number).utf8.count

    var extra = isNewProcess ? "\"p\":".utf8.count + digits + scratch.count + Self.separator : 0
    if traces[span.traceID] == nil { extra += Self.trace }
    if bytes == 0 { extra += Self.envelope }
    scratch.removeAll()
    JaegerJSON.encode(span, processNumber: number, to: &scratch)
    extra += scratch.count + Self.separator
    guard extra <= limit - bytes else { return false }

    bytes += extra
    traces[span.traceID] = number
    if isNewProcess { processes.insert(process) }
    return true
  }
}
