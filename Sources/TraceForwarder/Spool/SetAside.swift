import Bytes
import Glibc
import System

/// Spans that a destination refused permanently, on disk in the spool's directory.
///
/// Its files are segments of the spool's format, whose payloads are ``SetAsideRecord``s. `kata-trace-forwarder spool`
/// shows them; it moves what should be delivered again to the folder `resend`, which the forwarder checks.
package final class SetAside: Sendable {
  private struct File {
    var number: UInt64
    var size: Int
  }

  private struct State {
    /// The oldest first; nil before the first look.
    var files: [File]?
    /// The open file, which is the last one.
    var active: OpenFile?
    /// How much of a file that is delivered again is in the spool.
    var resent: (name: String, offset: Int)?
  }

  let directory: String
  private let maximumSize: Int
  private let losses: LossLedger
  private let key: SpoolKey
  private let state = Lock(State())

  var resendDirectory: String { "\(directory)/resend" }

  /// Creates nothing before the first span.
  ///
  /// - Parameters:
  ///   - directory: `set-aside` in the spool's directory.
  ///   - maximumSize: bytes of all files together; the oldest file is deleted, and counted, to stay below.
  ///   - key: the spool's secret.
  package init(directory: String, maximumSize: Int, losses: LossLedger, key: SpoolKey = .random()) {
    self.directory = directory
    self.maximumSize = maximumSize
    self.losses = losses
    self.key = key
  }

  /// A file is deleted as a whole, so that there are several.
  private var fileSize: Int { min(8 << 20, max(1, maximumSize / 8)) }

  /// Appends one span's record, which is on disk when this returns. Throws when the disk does not take it: the caller
  /// then keeps the span and tries again.
  package func add(
    _ payload: UnsafeRawBufferPointer, exporter: String, status: Int, reason: String
  ) throws(SystemCallError) {
    var message = ByteWriter(capacity: payload.count + 256)
    SetAsideRecord(time: WallClock.nanoseconds, exporter: exporter, status: status, reason: reason)
      .encode(payload, to: &message)
    var record = ByteWriter(capacity: message.count + SpoolKey.recordHeaderBytes)
    key.append(message.bytes, to: &record)
    guard record.count + SpoolHeader.bytes <= maximumSize, message.count <= SpoolFormat.maximumPayload else {
      losses.add(
        .setAsideFull, 1, [("exporter", exporter), ("reason", "the span is larger than --set-aside-size")])
      return
    }
    try state.withLock { state throws(SystemCallError) in
      makeRoom(for: record.count, &state)
      try write(record, &state)
    }
  }

  private func write(_ record: borrowing ByteWriter, _ state: inout State) throws(SystemCallError) {
    let active = try activeFile(&state)
    guard let last = state.files?.last else { return }
    let path = path(last.number)
    do throws(SystemCallError) {
      try active.file.writeAll(record.bytes, subject: path)
      guard active.syncData() else { throw SystemCallError("fdatasync", path) }
    } catch {
      if ftruncate(active.number, off_t(last.size)) != 0 { state.active = nil }
      throw error
    }
    state.files?.removeLast()
    state.files?.append(File(number: last.number, size: last.size + record.count))
  }

  private func path(_ number: UInt64) -> String { "\(directory)/\(SpoolFormat.fileName(number))" }

  /// Whether the open file still has its name: it may have been deleted, or moved to be delivered again.
  private func isInPlace(_ state: State) -> Bool {
    guard let number = state.files?.last?.number, let active = state.active else { return false }
    var named = stat()
    var opened = stat()
    return lstat(path(number), &named) == 0 && fstat(active.number, &opened) == 0
      && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
  }

  /// The file that has room for more.
  private func activeFile(_ state: inout State) throws(SystemCallError) -> OpenFile {
    if let active = state.active, (state.files?.last?.size ?? 0) < fileSize, isInPlace(state) {
      return active
    }
    return try begin(&state)
  }

  private func begin(_ state: inout State) throws(SystemCallError) -> OpenFile {
    state.active = nil
    if mkdir(directory, 0o700) != 0, errno != EEXIST { throw SystemCallError("mkdir", directory) }
    list(&state)
    let resent = Self.numbers(resendDirectory)
    let number = max(state.files?.last?.number ?? 0, resent.last ?? 0) + 1
    let file = try FileDescriptor.open(path(number), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, mode: 0o600)
    do throws(SystemCallError) {
      try SpoolHeader.encode(key, .segment).withBytes { bytes throws(SystemCallError) in
        try file.writeAll(bytes, subject: path(number))
      }
      let folder = try FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
      guard fsync(folder.number) == 0 else { throw SystemCallError("fsync", directory) }
    } catch {
      _ = unlink(path(number))
      throw error
    }
    let active = OpenFile(file)
    state.active = active
    state.files?.append(File(number: number, size: SpoolHeader.bytes))
    return active
  }

  private static func numbers(_ directory: String) -> [UInt64] {
    ((try? DirectoryListing.names(in: directory)) ?? []).compactMap(SpoolFormat.segment(fileName:)).sorted()
  }

  /// Lists the existing files: other programs may have removed some.
  private func list(_ state: inout State) {
    state.files = Self.numbers(directory).compactMap { number in
      var status = stat()
      guard lstat(path(number), &status) == 0, status.isRegularFile else { return nil }
      return File(number: number, size: Int(status.st_size))
    }
  }

  private func makeRoom(for bytes: Int, _ state: inout State) {
    if state.files == nil { list(&state) }
    func total() -> Int { (state.files ?? []).reduce(0) { $0 + $1.size } }
    if total() + bytes + SpoolHeader.bytes > maximumSize { list(&state) }
    while total() + bytes + SpoolHeader.bytes > maximumSize, let oldest = state.files?.first {
      let count = (try? survey(path(oldest.number))) ?? 1
      if state.files?.count == 1 { state.active = nil }
      if unlink(path(oldest.number)) == 0 {
        losses.add(.setAsideFull, count, [("file", path(oldest.number))])
      }
      state.files?.removeFirst()
    }
  }

  private func survey(_ path: String) throws(SystemCallError) -> Int {
    let file = OpenFile(try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    guard let reader = try Self.reader(file, path, key) else { return 1 }
    let size = Int(try file.file.status(path).st_size)
    let survey = try reader.survey(from: reader.framing.headerBytes, upTo: size)
    return survey.records + survey.lost
  }

  /// Reads an open file of spans that were set aside; nil if it is not one.
  static func reader(
    _ file: OpenFile, _ path: String, _ key: SpoolKey?
  ) throws(SystemCallError) -> SegmentReader? {
    let head = try file.bytes(at: 0, SpoolHeader.bytes, path)
    let size = Int(try file.file.status(path).st_size)
    let reading = SpoolHeader.read(head, .segment, known: key)
    let keys = key.map { [$0] } ?? []
    guard let framing = try SpoolRecovery.framing(reading, keys, file, size, path) else { return nil }
    return SegmentReader(file: file, segment: 0, framing: framing, path: path)
  }

  // MARK: Delivering again

  /// The files to deliver again, and how much of the first one was delivered.
  func filesToResend() -> (names: [String], offset: Int) {
    let names = Self.numbers(resendDirectory).map(SpoolFormat.fileName)
    guard let first = names.first else { return ([], 0) }
    return state.withLock { state in
      // Nothing is written to a file any more once it was moved.
      if state.active != nil, !isInPlace(state) {
        state.active = nil
        state.files = nil
      }
      return (names, state.resent.map { $0.name == first ? $0.offset : 0 } ?? 0)
    }
  }

  func noteResent(_ name: String, upTo offset: Int) { state.withLock { $0.resent = (name, offset) } }
}

extension Spool {
  /// Puts the spans into the spool again that were moved to the folder `resend`.
  ///
  /// All exporters get them, even those that have delivered them: the spool does not know which exporter a span is for.
  /// A file that is not finished when the process ends is started again.
  func takeResent() {
    let (names, offset) = setAside.filesToResend()
    var start = offset
    for name in names {
      do throws(SystemCallError) {
        guard try resend(name, from: start) else { return }
      } catch {
        log.limited(
          .error, by: "resend", "spans that were set aside cannot be delivered again",
          ["error": error.description])
        return
      }
      start = 0
    }
  }

  /// False if the spool is full at present.
  private func resend(_ name: String, from start: Int) throws(SystemCallError) -> Bool {
    let path = "\(setAside.resendDirectory)/\(name)"
    let file = OpenFile(try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
    guard let reader = try SetAside.reader(file, path, key) else {
      _ = rename(path, SpoolDirectory.asideName(path))
      losses.add(
        .spoolDamaged, 1, [("file", path), ("reason", "it is not a file of spans that were set aside")])
      return true
    }
    let size = Int(try file.file.status(path).st_size)
    var offset = max(start, reader.framing.headerBytes)
    var count = 0
    var isDamaged = false
    reading: while true {
      switch try reader.next(at: offset, upTo: size, records: 4096, bytes: SegmentReader.windowBytes) {
      case .end: break reading
      case .gap(let gap):
        if gap.kind != .torn {
          isDamaged = true
          losses.add(.spoolDamaged, gap.records, [("file", path), ("offset", String(offset))])
        }
        offset = gap.range.upperBound
      case .records(let batch):
        do throws(SpoolRefusal) { count += try put(batch, path) } catch {
          setAside.noteResent(name, upTo: offset)
          return false
        }
        offset = batch.end.offset
        setAside.noteResent(name, upTo: offset)
      }
    }
    try sync()
    if isDamaged { _ = rename(path, SpoolDirectory.asideName(path)) } else { _ = unlink(path) }
    log.info("spans that were set aside are delivered again", ["file": name, "spans": String(count)])
    return true
  }

  private func put(_ batch: SpoolBatch, _ path: String) throws(SpoolRefusal) -> Int {
    var records = ByteWriter(capacity: batch.bytes.count)
    var count = 0
    batch.visitPayloads { payload in
      guard let record = SetAsideRecord(payload) else {
        losses.add(.spoolRecord, 1, [("file", path)])
        return
      }
      key.append(payload.part(clamping: record.span), to: &records)
      count += 1
    }
    try append(records.bytes, count: count)
    return count
  }
}
