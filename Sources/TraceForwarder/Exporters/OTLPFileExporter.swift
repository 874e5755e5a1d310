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
    var ends: [Int] = []
    batch.visitPayloads { payload in
      guard context.decode(payload, into: &span) else { return }
      OTLPJSON.encode(span, to: &lines)
      lines.put(0x0a)
      ends.append(lines.count)
    }
    do throws(SystemCallError) {
      _ = try open()
      // In pieces of whole lines: a file has its size at most, but for a single longer line.
      for piece in rotation.pieces(ends, after: size) { try write(piece) }
    } catch {
      throw ExportFailure(error.description)
    }
  }

  private func write(_ piece: Range<Int>) throws(SystemCallError) {
    if rotation.isDue(size: size, extra: piece.count, since: opened) {
      file = nil
      try rotation.rotate(path)
    }
    let number = try open()
    do throws(SystemCallError) {
      try FileDescriptor(borrowing: number).writeAll(
        UnsafeRawBufferPointer(rebasing: lines.bytes[piece]), subject: path)
    } catch {
      // Half a line would spoil the next one.
      _ = ftruncate(number, size)
      throw error
    }
    size += piece.count
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
