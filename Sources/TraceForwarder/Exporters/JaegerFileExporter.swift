import Bytes
import Glibc
import System
import Tracing

/// All spans in one Jaeger JSON file, which is written when the forwarder ends, on SIGHUP, and when the limits of
/// rotation are reached.
///
/// Until then spans wait in `FILE.partial`, one record each as in the spool, so that memory does not grow and a crash
/// loses no acknowledged spans.
final class JaegerFileExporter: SpanExporter {
  private let context: ExporterContext
  private let path: String
  private let rotation: FileRotation
  private var partial: FileDescriptor?
  private var size = 0
  /// The size of the partial file that is on disk.
  private var syncedSize = 0
  /// Whether its name may not be on disk yet.
  private var hasNewName = false
  private var opened = MonotonicClock.milliseconds
  private var records = ByteWriter(capacity: 64 << 10)
  private var span = Span()
  /// The size of the document of all that waits, and of what is being written.
  private var document: DocumentSize
  /// Whether ``document`` is not that of the partial file, which is to be read for it.
  private var mustMeasure = true

  init(_ context: ExporterContext, path: String, rotation: FileRotation) {
    self.context = context
    self.path = path
    self.rotation = rotation
    document = DocumentSize(defaultService: context.defaultService)
  }

  private var partialPath: String { "\(path).partial" }

  var isBuffered: Bool { true }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    do throws(SystemCallError) {
      let number = try open()
      if mustMeasure { try measure(number) }
      // Until all is written the document is ahead of the file.
      mustMeasure = true
      var start = 0
      for cut in take(batch) {
        if cut > start { try append(start..<cut) }
        try rotate()
        start = cut
      }
      if start < records.count { try append(start..<records.count) }
      mustMeasure = false
    } catch {
      throw ExportFailure(error.description)
    }
  }

  /// Makes the batch's records; returns where in them another file is to begin.
  private func take(_ batch: SpoolBatch) -> [Int] {
    records.removeAll()
    var cuts: [Int] = []
    if size > 0, rotation.isOld(since: opened) {
      cuts.append(0)
      document.removeAll()
    }
    let limit = rotation.maximumSize
    batch.visitPayloads { payload in
      if limit > 0, context.decode(payload, into: &span), document.add(span, limit: limit) {
        cuts.append(records.count)
      }
      SpoolFormat.append(payload, to: &records)
    }
    return cuts
  }

  private func rotate() throws(SystemCallError) {
    guard size > 0 else { return }
    try complete()
    try rotation.rotate(path)
  }

  private func append(_ piece: Range<Int>) throws(SystemCallError) {
    let number = try open()
    do throws(SystemCallError) {
      try FileDescriptor(borrowing: number).writeAll(
        records.bytes.part(clamping: piece), subject: partialPath)
    } catch {
      _ = ftruncate(number, size)
      throw error
    }
    size += piece.count
  }

  /// Measures the document of what an earlier run, or a batch that failed, has left in the partial file.
  private func measure(_ partial: Int32) throws(SystemCallError) {
    document.removeAll()
    guard rotation.maximumSize > 0 else { return }
    try visitRecords(partial) { _, isSpan in
      if isSpan { _ = document.add(span, limit: .max) }
    }
  }

  /// Forces the partial file to the disk. What a disk failed to take is cut, and written again.
  func flush(mustDeliver: Bool) throws(ExportFailure) {
    guard let number = partial?.number else { return }
    do throws(SystemCallError) {
      if size != syncedSize { try FileDescriptor(borrowing: number).sync(partialPath) }
      syncedSize = size
      if hasNewName { try AtomicFile.syncDirectory(of: path) }
      hasNewName = false
    } catch {
      var failure = ExportFailure(error.description)
      if error.call == "fdatasync" {
        _ = ftruncate(number, syncedSize)
        size = syncedSize
        mustMeasure = true
        failure.repeats = true
      }
      throw failure
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
    size = try Self.cutTornTail(file, partialPath)
    syncedSize = size
    hasNewName = true
    opened = MonotonicClock.milliseconds
    let number = file.number
    // What waits is of the file that is there; when nothing waits, that file is of an earlier run and complete.
    if size == 0, access(path, F_OK) == 0 { try rotation.rotate(path) }
    partial = consume file
    return number
  }

  /// Cuts what a crash left after the last whole record; returns the size.
  private static func cutTornTail(_ file: borrowing FileDescriptor, _ path: String) throws(SystemCallError)
    -> Int
  {
    let size = Int(try file.status(path).st_size)
    var good = 0
    var piece = SpoolPiece()
    while good < size {
      try piece.fill(file, at: good, limit: size, path)
      guard piece.skipRecords(&good) != nil else { break }
    }
    if good < size, ftruncate(file.number, good) != 0 { throw SystemCallError("cut the torn tail", path) }
    return good
  }

  // MARK: The document

  /// Writes the document of all that waits.
  private func complete(keeping: Bool = false) throws(SystemCallError) {
    // A run without a span leaves the file of an earlier one as it is.
    if partial == nil, access(partialPath, F_OK) != 0, access(path, F_OK) == 0 { return }
    let number = try open()
    var unreadable = 0
    try AtomicFile.replace(path, mode: 0o640, durability: .name) { (file) throws(SystemCallError) in
      unreadable = try writeDocument(from: number, to: file)
    }
    if !keeping { context.countUnreadable(unreadable) }
    if keeping { return }
    partial = nil
    (size, syncedSize) = (0, 0)
    _ = unlink(partialPath)
  }

  /// Trace by trace, so that no more than the largest is in memory; returns how many records are not spans.
  private func writeDocument(from partial: Int32, to file: borrowing FileDescriptor) throws(SystemCallError)
    -> Int
  {
    let (order, places, unreadable) = try findTraces(partial)
    var out = ByteWriter(capacity: 1 << 20)
    var scratch = ByteWriter(capacity: 16 << 10)
    out.put(TraceDocument.envelopeStart)
    for (index, id) in order.enumerated() {
      if index > 0 { out.put(",\n") }
      var document = TraceDocument(id)
      for place in places[id] ?? [] {
        guard try read(place, partial) else { continue }
        _ = document.add(span, defaultService: context.defaultService, &scratch)
      }
      document.put(to: &out)
      if out.count > 1 << 20 {
        try file.writeAll(out.bytes, subject: path)
        out.removeAll()
      }
    }
    out.put(TraceDocument.envelopeEnd)
    try file.writeAll(out.bytes, subject: path)
    return unreadable
  }

  /// Where the payloads of each trace are, and the traces in the order in which they came.
  private func findTraces(_ partial: Int32) throws(SystemCallError) -> (
    [TraceID], [TraceID: [Range<Int>]], unreadable: Int
  ) {
    var places: [TraceID: [Range<Int>]] = [:]
    var order: [TraceID] = []
    var unreadable = 0
    try visitRecords(partial) { place, isSpan in
      guard isSpan else {
        unreadable += 1
        return
      }
      if places[span.traceID] == nil { order.append(span.traceID) }
      places[span.traceID, default: []].append(place)
    }
    return (order, places, unreadable)
  }

  /// Calls `body` with the place of each payload, and whether it is one of a span, which ``span`` then is.
  private func visitRecords(_ partial: Int32, _ body: (Range<Int>, Bool) -> Void) throws(SystemCallError) {
    var offset = 0
    while offset < size {
      let start = offset + SpoolFormat.recordHeaderBytes
      let head = try bytes(offset..<min(size, start), partial)
      guard let header = head.withBytes({ SpoolFormat.RecordHeader(at: 0, in: $0) }) else { return }
      let place = start..<start + header.length
      offset = place.upperBound
      body(place, offset <= size ? try read(place, partial) : false)
    }
  }

  /// Reads and decodes a payload.
  private func read(_ place: Range<Int>, _ partial: Int32) throws(SystemCallError) -> Bool {
    try bytes(place, partial).withUnsafeBytes { context.decode($0, into: &span) }
  }

  private func bytes(_ place: Range<Int>, _ partial: Int32) throws(SystemCallError) -> [UInt8] {
    try FileDescriptor(borrowing: partial).bytes(
      at: place.lowerBound, count: place.count, subject: partialPath)
  }
}
