import Basics
import Glibc
import Tracing

/// Readable spans on standard output, for `--dump-only`.
final class TextExporter: SpanExporter {
  private let context: ExporterContext
  private let isColoured: Bool
  private var out = ByteWriter(capacity: 64 << 10)
  private var span = Span()
  /// What to do when nobody reads the output any more.
  private let onClosed: @Sendable () -> Void

  init(_ context: ExporterContext, isColoured: Bool, onClosed: @escaping @Sendable () -> Void) {
    self.context = context
    self.isColoured = isColoured
    self.onClosed = onClosed
  }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    out.removeAll()
    batch.visitPayloads { payload in
      if context.decode(payload, into: &span) { SpanText.put(span, isColoured: isColoured, to: &out) }
    }
    do throws(SystemCallError) {
      try FileDescriptor(borrowing: STDOUT_FILENO).writeAll(out.bytes, subject: "standard output")
    } catch {
      if error.code == EPIPE { onClosed() } else { throw ExportFailure(error.description) }
    }
  }
}
