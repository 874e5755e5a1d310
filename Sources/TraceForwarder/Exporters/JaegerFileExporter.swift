import Basics
import Glibc
import Tracing

/// Everything in one Jaeger JSON file, which is written when the forwarder ends, when it is told to (SIGHUP), and when
/// the limits of rotation are reached.
///
/// Until then spans wait in `FILE.partial`, a record each as in the spool, so that neither memory grows nor a crash
/// loses what was acknowledged.
final class JaegerFileExporter: SpanExporter {
  private let context: ExporterContext
  private let path: String
  private let rotation: FileRotation
  private var partial: FileDescriptor?
  private var size = 0
  private var opened = MonotonicClock.milliseconds
  private var records = ByteWriter(capacity: 64 << 10)

  init(_ context: ExporterContext, path: String, rotation: FileRotation) {
    self.context = context
    self.path = path
    self.rotation = rotation
  }

  private var partialPath: String { "\(path).partial" }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    records.removeAll()
    batch.visitPayloads { SpoolFormat.append($0, to: &records) }
    do throws(SystemCallError) {
      if rotation.isDue(size: size, extra: records.count, since: opened) {
        try complete()
        try rotation.rotate(path)
      }
      let number = try open()
      do throws(SystemCallError) {
        try FileDescriptor(borrowing: number).writeAll(records.bytes, subject: partialPath)
      } catch {
        _ = ftruncate(number, size)
        throw error
      }
      size += records.count
    } catch {
      throw ExportFailure(error.description)
    }
  }

  func reopen() throws(ExportFailure) {
    do throws(SystemCallError) { try complete(keeping: true) } catch {
      throw ExportFailure(error.description)
    }
  }

  func finish() throws(ExportFailure) {
    do throws(SystemCallError) { try complete() } catch { throw ExportFailure(error.description) }
  }

  private func open() throws(SystemCallError) -> Int32 {
    if let number = partial?.number { return number }
    let file = try FileDescriptor.open(partialPath, O_RDWR | O_CREAT | O_APPEND, mode: 0o600)
    size = Int(try file.status(partialPath).st_size)
    opened = MonotonicClock.milliseconds
    let number = file.number
    // What waits is of the file that is there; when nothing waits, that file is of an earlier run and complete.
    if size == 0, access(path, F_OK) == 0 { try rotation.rotate(path) }
    partial = consume file
    return number
  }

  /// Writes the document of all that waits.
  private func complete(keeping: Bool = false) throws(SystemCallError) {
    // A run without a span leaves the file of an earlier one as it is.
    if partial == nil, access(partialPath, F_OK) != 0, access(path, F_OK) == 0 { return }
    _ = try open()
    let bytes = try WholeFile.read(partialPath)
    var documents: [TraceID: TraceDocument] = [:]
    var order: [TraceID] = []
    var span = Span()
    var scratch = ByteWriter(capacity: 16 << 10)
    bytes.withUnsafeBytes { bytes in
      var offset = 0
      while case .good(let payload, let end) = SpoolFormat.record(at: offset, in: bytes) {
        offset = end
        guard context.decode(payload, into: &span) else { continue }
        if documents[span.traceID] == nil { order.append(span.traceID) }
        _ = documents[span.traceID, default: TraceDocument(span.traceID)].add(
          span, defaultService: context.defaultService, &scratch)
      }
    }
    var out = ByteWriter(capacity: bytes.count * 2 + 1024)
    out.put(TraceDocument.envelopeStart)
    for (index, id) in order.enumerated() {
      if index > 0 { out.put(",\n") }
      documents[id]?.put(to: &out)
    }
    out.put(TraceDocument.envelopeEnd)
    try AtomicFile.write(out.bytes, to: path, mode: 0o640)
    if keeping { return }
    partial = nil
    size = 0
    _ = unlink(partialPath)
  }
}
