import Bytes
import Glibc
import System
import Tracing

/// OTLP JSON, one `TracesData` per line: the format of the OpenTelemetry Collector's file exporter and receiver.
final class OTLPFileExporter: SpanExporter {
  private let context: ExporterContext
  private let path: String
  private let rotation: FileRotation
  private var file: FileDescriptor?
  private var size = 0
  /// The size that is on disk.
  private var syncedSize = 0
  /// Whether a name may not be on disk yet.
  private var hasNewName = false
  private var opened = 0
  private var lines = ByteWriter(capacity: 256 << 10)
  private var span = Span()

  init(_ context: ExporterContext, path: String, rotation: FileRotation) {
    self.context = context
    self.path = path
    self.rotation = rotation
  }

  var isBuffered: Bool { true }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    lines.removeAll()
    var ends: [Int] = []
    var unreadable = 0
    batch.visitPayloads { payload in
      guard context.decode(payload, into: &span) else {
        unreadable += 1
        return
      }
      OTLPJSON.encode(span, to: &lines)
      lines.put(0x0a)
      ends.append(lines.count)
    }
    do throws(SystemCallError) {
      _ = try open()
      // In pieces of whole lines: a file has its size at most, but for a single longer line.
      for piece in rotation.pieces(ends, after: size) { try write(piece) }
    } catch {
      throw failure(error)
    }
    context.countUnreadable(unreadable)
  }

  func flush(mustDeliver: Bool) throws(ExportFailure) {
    do throws(SystemCallError) {
      try sync()
      if hasNewName { try AtomicFile.syncDirectory(of: path) }
      hasNewName = false
    } catch {
      throw failure(error)
    }
  }

  private func write(_ piece: Range<Int>) throws(SystemCallError) {
    if rotation.isDue(size: size, extra: piece.count, since: opened) {
      try sync()
      file = nil
      try rotation.rotate(path)
      hasNewName = true
    }
    let number = try open()
    do throws(SystemCallError) {
      try FileDescriptor(borrowing: number).writeAll(
        lines.bytes.part(clamping: piece), subject: path)
    } catch {
      // Half a line would spoil the next one.
      _ = ftruncate(number, size)
      throw error
    }
    size += piece.count
  }

  func reopen() throws(ExportFailure) {
    do throws(SystemCallError) { try sync() } catch { throw failure(error) }
    file = nil
  }

  /// A disk that failed to write reports it only once and may then report success: the bytes are truncated, and written
  /// again.
  private func sync() throws(SystemCallError) {
    guard let number = file?.number, size != syncedSize else { return }
    do throws(SystemCallError) { try FileDescriptor(borrowing: number).sync(path) } catch {
      _ = ftruncate(number, syncedSize)
      size = syncedSize
      throw error
    }
    syncedSize = size
  }

  private func failure(_ error: SystemCallError) -> ExportFailure {
    var failure = ExportFailure(error.description)
    failure.repeats = error.call == "fdatasync"
    return failure
  }

  private func open() throws(SystemCallError) -> Int32 {
    if let number = file?.number { return number }
    let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
    size = Int(try file.status(path).st_size)
    syncedSize = size
    hasNewName = true
    opened = MonotonicClock.milliseconds
    let number = file.number
    self.file = consume file
    return number
  }
}
