import Bytes
import Glibc
import System
import Tracing

/// Readable spans on standard output, for `--dump-only`.
final class TextExporter: SpanExporter {
  private let context: ExporterContext
  private let isColoured: Bool
  private var out = ByteWriter(capacity: 64 << 10)
  private var span = Span()
  /// Called when the reader of the output has closed it.
  private let onClosed: @Sendable () -> Void

  init(_ context: ExporterContext, isColoured: Bool, onClosed: @escaping @Sendable () -> Void) {
    self.context = context
    self.isColoured = isColoured
    self.onClosed = onClosed
  }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    out.removeAll()
    var unreadable = 0
    batch.visitPayloads { payload in
      guard context.decode(payload, into: &span) else {
        unreadable += 1
        return
      }
      SpanText.put(span, isColoured: isColoured, to: &out)
    }
    do throws(SystemCallError) { try write(out.bytes) } catch {
      if error.code == EPIPE { onClosed() } else { throw ExportFailure(error.description) }
    }
    context.countUnreadable(unreadable)
  }

  /// Waits for a reader that is slow, but not beyond the time to stop.
  private func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    var rest = bytes
    while !rest.isEmpty {
      var entry = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
      guard poll(&entry, 1, 250) != 0 else {
        if context.deadline.isOver { throw SystemCallError("write", "standard output", code: ETIMEDOUT) }
        continue
      }
      // A pipe that is ready has room for this much, so the write does not block.
      let piece = rest.part(clamping: 0..<4096)
      try FileDescriptor(borrowing: STDOUT_FILENO).writeAll(piece, subject: "standard output")
      rest = rest.part(clamping: piece.count..<rest.count)
    }
  }
}
