import Bytes
import Glibc
import System
import Tracing

/// One Jaeger JSON file per trace, replaced as spans arrive.
///
/// Recently updated traces are in memory; the least recent ones are dropped when they take more than ``memoryLimit``,
/// and read back from their file when a late span arrives.
///
/// A file is written as a whole, so a long trace would be rewritten over and over: the pause between two writes grows
/// with the file, which limits the rate to about ``writeRate``. Unwritten spans are not acknowledged.
final class JaegerDirectoryExporter: SpanExporter {
  struct Retention: Sendable {
    /// How many files stay, and seconds since the last span; 0 means no limit.
    var files = 10_000
    var age = 0
    /// Bytes of all files; 0 means no limit.
    var size = 0
  }

  private struct OpenTrace {
    var document: TraceDocument
    /// The version of the file that the document has; nil when there was none.
    var file: FileVersion?
    var isDirty = true
    var lastSpan = MonotonicClock.milliseconds
    /// When it is to be written again, should spans have come by then.
    var nextWrite = 0
  }

  private let context: ExporterContext
  private let directory: String
  private let limits: Retention
  private var traces: [TraceID: OpenTrace] = [:]
  private var held = 0
  /// When all traces were written.
  private var lastDelivery = MonotonicClock.milliseconds
  private var span = Span()
  private var scratch = ByteWriter(capacity: 16 << 10)
  private var file = ByteWriter(capacity: 256 << 10)
  /// The batch that is on its way, and how many of its payloads were taken or set aside.
  private var current: SpoolPosition?
  private var settled = 0
  private var leftOut = 0
  private var nextCleaning = 0
  /// Files that were written since the last cleaning.
  private var written = 0
  /// Whether a name may not be on disk yet.
  private var hasNewName = false

  static let memoryLimit = 32 << 20
  /// Bytes of one trace, which is in memory as a whole while it is written.
  static let traceLimit = 32 << 20
  /// Bytes of a file that is read back; a larger one is not this exporter's.
  static let fileLimit = 128 << 20
  /// Milliseconds after which a trace is complete: since its last span, with the root's and without.
  static let completeAfter = 5_000
  static let idleAfter = 60_000
  /// Bytes a second that one trace is written over with, about, and the longest pause that follows from that, in
  /// milliseconds.
  static let writeRate = 1 << 20
  static let longestPause = 30_000

  init(_ context: ExporterContext, directory: String, limits: Retention) throws(ExportFailure) {
    self.context = context
    self.directory = directory
    self.limits = limits
    if mkdir(directory, 0o750) != 0, errno != EEXIST {
      throw ExportFailure(SystemCallError("create the directory", directory).description)
    }
  }

  var isBuffered: Bool { true }
  var isDelivered: Bool { !traces.values.contains { $0.isDirty } }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    if current != batch.start { (current, settled) = (batch.start, 0) }
    for index in settled..<batch.payloads.count {
      try add(index, of: batch)
      settled = index + 1
    }
    if held > Self.memoryLimit { try letGo() }
    current = nil
  }

  private func add(_ index: Int, of batch: SpoolBatch) throws(ExportFailure) {
    let range = batch.payloads[index]
    let isGood = batch.bytes.withPart(range) { context.decode($0, into: &span) }
    guard isGood else { return context.countUnreadable(1) }
    let id = span.traceID
    var trace = traces.removeValue(forKey: id) ?? load(id)
    held -= trace.document.size
    let isFull = trace.document.size > Self.traceLimit
    if !isFull, trace.document.add(span, defaultService: context.defaultService, &scratch) {
      trace.isDirty = true
    }
    trace.lastSpan = MonotonicClock.milliseconds
    held += trace.document.size
    traces[id] = trace
    guard isFull else { return }
    let reason = "the file of the trace \(id.description) is full: \(Self.traceLimit) bytes"
    try context.setAside(batch.alone(index), status: 0, reason: reason)
    leftOut += 1
  }

  func takeLeftOut() -> Int {
    defer { leftOut = 0 }
    return leftOut
  }

  func flush(mustDeliver: Bool) throws(ExportFailure) {
    let now = MonotonicClock.milliseconds
    // Large ones are written together, or some trace would be waiting whenever others are done.
    let lastWrite = traces.values.reduce(0) { $1.isDirty ? max($0, $1.nextWrite) : $0 }
    let writesAll = mustDeliver || lastWrite <= now || now - lastDelivery >= Self.longestPause
    for id in Array(traces.keys) {
      guard writesAll || traces[id]?.nextWrite == 0 else { continue }
      guard var trace = traces.removeValue(forKey: id) else { continue }
      do throws(ExportFailure) { try write(&trace) } catch {
        traces[id] = trace
        throw error
      }
      let quiet = now - trace.lastSpan
      if quiet > Self.idleAfter || (trace.document.hasRoot && quiet > Self.completeAfter) {
        held -= trace.document.size
      } else {
        traces[id] = trace
      }
    }
    if hasNewName {
      do throws(SystemCallError) { try AtomicFile.syncDirectory(of: path(TraceID(0))) } catch {
        throw ExportFailure(error.description)
      }
      hasNewName = false
    }
    if writesAll { lastDelivery = now }
    clean(now)
  }

  /// Writes and forgets the least recent half.
  private func letGo() throws(ExportFailure) {
    let oldest = traces.sorted { $0.value.lastSpan < $1.value.lastSpan }.map(\.key)
    for id in oldest where held > Self.memoryLimit / 2 {
      guard var trace = traces[id] else { continue }
      try write(&trace)
      traces[id] = nil
      held -= trace.document.size
    }
  }

  private func path(_ id: TraceID) -> String { "\(directory)/\(id.description).json" }

  /// The trace as its file has it, in whatever way that is formatted; without spans when the file is not a trace that
  /// the forwarder wrote, which ``write(_:)`` then keeps.
  private func load(_ id: TraceID) -> OpenTrace {
    guard let (bytes, version) = try? TraceFiles.read(path(id), limit: Self.fileLimit),
      let document = TraceDocument(id, reformatted: bytes)
    else { return OpenTrace(document: TraceDocument(id)) }
    held += document.size
    return OpenTrace(document: document, file: version)
  }

  private func write(_ trace: inout OpenTrace) throws(ExportFailure) {
    guard trace.isDirty else { return }
    file.removeAll()
    file.put(TraceDocument.envelopeStart)
    trace.document.put(to: &file)
    file.put(TraceDocument.envelopeEnd)
    let path = path(trace.document.traceID)
    do throws(SystemCallError) {
      if let version = try FileVersion.current(path), version != trace.file { try keep(path) }
      try AtomicFile.replace(path, mode: 0o640, durability: .content) { (target) throws(SystemCallError) in
        try target.writeAll(file.bytes, subject: path)
      }
      trace.file = try FileVersion.current(path)
    } catch {
      throw ExportFailure(error.description)
    }
    trace.isDirty = false
    hasNewName = true
    let pause = file.count / (Self.writeRate / 1000)
    // A small file is written as often as it is asked for.
    trace.nextWrite = MonotonicClock.milliseconds + (pause < 250 ? 0 : min(pause, Self.longestPause))
    written += 1
  }

  /// Something else has changed the file: truncated, edited or replaced it. What it has now is not lost.
  private func keep(_ path: String) throws(SystemCallError) {
    let kept = try TraceFiles.keep(path)
    context.log.limited(
      .warning, by: context.name,
      "a trace's file was changed by another program and is kept under another name",
      ["exporter": context.name, "file": path, "kept": kept])
  }

  /// Deletes the oldest files that are over a limit; once a minute, and when many were written.
  private func clean(_ now: Int) {
    guard now >= nextCleaning || written >= 1000 else { return }
    nextCleaning = now + 60_000
    written = 0
    var files = TraceFiles.list(directory)
    files.sort { $0.modified > $1.modified }
    var size = 0
    let oldest = limits.age > 0 ? Int(WallClock.nanoseconds / 1_000_000_000) - limits.age : Int.min
    for (index, file) in files.enumerated() {
      size += file.size
      let isOver =
        limits.files > 0 && index >= limits.files || limits.size > 0 && size > limits.size
        || file.modified < oldest
      if isOver { _ = unlink("\(directory)/\(file.name)") }
    }
  }
}
