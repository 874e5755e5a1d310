import Basics
import Glibc
import Tracing

/// OTLP JSON, one `TracesData` a line: the format of the OpenTelemetry Collector's file exporter and receiver.
final class OTLPFileExporter: SpanExporter {
  private let context: ExporterContext
  private let path: String
  private let rotation: FileRotation
  private var file: FileDescriptor?
  private var size = 0
  private var opened = 0
  private var lines = ByteWriter(capacity: 256 << 10)
  private var span = Span()

  init(_ context: ExporterContext, path: String, rotation: FileRotation) {
    self.context = context
    self.path = path
    self.rotation = rotation
  }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    lines.removeAll()
    var unreadable = 0
    batch.visitPayloads { payload in
      guard context.decode(payload, into: &span) else {
        unreadable += 1
        return
      }
      OTLPJSON.encode(span, to: &lines)
      lines.put(0x0a)
    }
    do throws(SystemCallError) {
      if rotation.isDue(size: size, extra: lines.count, since: opened) {
        file = nil
        try rotation.rotate(path)
      }
      let number = try open()
      do throws(SystemCallError) {
        try FileDescriptor(borrowing: number).writeAll(lines.bytes, subject: path)
      } catch {
        // Half a line would spoil the next one.
        _ = ftruncate(number, size)
        throw error
      }
      size += lines.count
    } catch {
      throw ExportFailure(error.description)
    }
    context.countUnreadable(unreadable)
  }

  func reopen() { file = nil }

  private func open() throws(SystemCallError) -> Int32 {
    if let number = file?.number { return number }
    let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
    size = Int(try file.status(path).st_size)
    opened = MonotonicClock.milliseconds
    let number = file.number
    self.file = consume file
    return number
  }
}
