import Basics
import Glibc
import Tracing

/// One Jaeger JSON file a trace, replaced as spans arrive.
///
/// Traces that spans came for lately are in memory; the least recent ones are let go of when they take more than
/// ``memoryLimit``, and read back from their file when a late span comes.
///
/// A file is written as a whole, so a trace that goes on for long would be written over and over: the pause between two
/// writes grows with the file, which keeps the writing to about ``writeRate``. What is not written is not acknowledged.
final class JaegerDirectoryExporter: SpanExporter {
  struct Limits: Sendable {
    /// How many files stay, and seconds since the last span; 0 is no limit.
    var files = 10_000
    var age = 0
    /// Bytes of all files; 0 is no limit.
    var size = 0
  }

  private struct OpenTrace {
    var document: TraceDocument
    var isDirty = true
    var lastSpan = MonotonicClock.milliseconds
    /// When it is to be written again, should spans have come by then.
    var nextWrite = 0
  }

  private let context: ExporterContext
  private let directory: String
  private let limits: Limits
  private var traces: [TraceID: OpenTrace] = [:]
  private var held = 0
  /// When all traces were written.
  private var lastDelivery = MonotonicClock.milliseconds
  private var span = Span()
  private var scratch = ByteWriter(capacity: 16 << 10)
  private var file = ByteWriter(capacity: 256 << 10)
  private var nextCleaning = 0
  /// Files that were written since the last cleaning.
  private var written = 0

  static let memoryLimit = 32 << 20
  /// Bytes of one trace, which is in memory as a whole while it is written.
  static let traceLimit = 32 << 20
  /// Milliseconds after which a trace is complete: since its last span, with the root's and without.
  static let completeAfter = 5_000
  static let idleAfter = 60_000
  /// Bytes a second that one trace is written over with, about, and the longest pause that follows from that, in milliseconds.
  static let writeRate = 1 << 20
  static let longestPause = 30_000

  init(_ context: ExporterContext, directory: String, limits: Limits) throws(ExportFailure) {
    self.context = context
    self.directory = directory
    self.limits = limits
    if mkdir(directory, 0o750) != 0, errno != EEXIST {
      throw ExportFailure(SystemCallError("make the directory", directory).description)
    }
  }

  var isBuffered: Bool { true }
  var isDelivered: Bool { !traces.values.contains { $0.isDirty } }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    batch.visitPayloads { payload in
      guard context.decode(payload, into: &span) else { return }
      let id = span.traceID
      var trace = traces.removeValue(forKey: id) ?? OpenTrace(document: load(id))
      held -= trace.document.size
      if trace.document.size > Self.traceLimit {
        refuse(id)
      } else if trace.document.add(span, defaultService: context.defaultService, &scratch) {
        trace.isDirty = true
      }
      trace.lastSpan = MonotonicClock.milliseconds
      held += trace.document.size
      traces[id] = trace
    }
    if held > Self.memoryLimit { try letGo() }
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

  private func refuse(_ id: TraceID) {
    context.metrics.add(.refused, context.name)
    context.log.limited(
      .warning, by: context.name, "a trace's file is full: spans were left out",
      ["exporter": context.name, "trace": id.description, "limit": String(Self.traceLimit)])
  }

  private func path(_ id: TraceID) -> String { "\(directory)/\(id.description).json" }

  private func load(_ id: TraceID) -> TraceDocument {
    guard let bytes = try? WholeFile.read(path(id)), let document = TraceDocument(id, file: bytes) else {
      return TraceDocument(id)
    }
    held += document.size
    return document
  }

  private func write(_ trace: inout OpenTrace) throws(ExportFailure) {
    guard trace.isDirty else { return }
    file.removeAll()
    file.put(TraceDocument.envelopeStart)
    trace.document.put(to: &file)
    file.put(TraceDocument.envelopeEnd)
    do throws(SystemCallError) {
      try AtomicFile.write(file.bytes, to: path(trace.document.traceID), mode: 0o640)
    } catch {
      throw ExportFailure(error.description)
    }
    trace.isDirty = false
    let pause = file.count / (Self.writeRate / 1000)
    // A small file is written as often as it is asked for.
    trace.nextWrite = MonotonicClock.milliseconds + (pause < 250 ? 0 : min(pause, Self.longestPause))
    written += 1
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

/// The files of a directory that are one trace each.
enum TraceFiles {
  static func list(_ directory: String) -> [(name: String, size: Int, modified: Int)] {
    var result: [(name: String, size: Int, modified: Int)] = []
    for name in (try? DirectoryListing.names(in: directory)) ?? []
    where name.hasSuffix(".json") && name.utf8.count == 37 {
      var status = stat()
      guard stat("\(directory)/\(name)", &status) == 0 else { continue }
      result.append((name, Int(status.st_size), Int(status.st_mtim.tv_sec)))
    }
    return result
  }
}

enum WholeFile {
  static func read(_ path: String) throws(SystemCallError) -> [UInt8] {
    let file = try FileDescriptor.open(path, O_RDONLY)
    let size = Int(try file.status(path).st_size)
    var bytes = [UInt8](repeating: 0, count: size)
    let got = try bytes.withMutableBytes { target throws(SystemCallError) -> Int in
      guard let base = target.baseAddress else { return 0 }
      return try file.read(at: 0, into: base, count: size, subject: path)
    }
    bytes.removeLast(size - got)
    return bytes
  }
}
