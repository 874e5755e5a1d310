import Basics
import CLinux
import Glibc
import Synchronization
import Tracing

/// What to do with spans when the spool has reached its size.
package enum SpoolFullPolicy: String, CaseIterable, Sendable {
  /// Stop reading from the guests until exporters have caught up.
  case block
  /// Delete the oldest segment, delivered or not, and count what was lost.
  case dropOldest = "drop-oldest"
}

package struct SpoolOptions: Sendable {
  package var directory: String
  /// Bytes of all segments together.
  package var maximumSize = 1 << 30
  /// Bytes of one segment; a segment is deleted as a whole.
  package var segmentSize = 8 << 20
  package var policy = SpoolFullPolicy.block
  /// Milliseconds between two syncs to disk; 0 syncs every write.
  package var syncInterval = 100
  /// Bytes of delivered segments to keep, for queries.
  package var keptSize = 0
  /// Bytes of all spans that are set aside together.
  package var setAsideSize = 256 << 20

  package init(directory: String) { self.directory = directory }
}

/// Why a batch was not taken. What was not taken must be offered again.
package enum SpoolRefusal: Error, Sendable {
  case full
  case failed(SystemCallError)
}

/// The spans that were received and that some exporter has not delivered yet, on disk.
///
/// Writers append from any thread; each exporter reads with a ``SpoolReader`` and tells how far it has delivered. Memory
/// does not grow with what waits: of each segment only its size and number of records are known.
package final class Spool: Sendable {
  struct Segment {
    var number: UInt64
    var size: Int
    var records: Int
  }

  struct State {
    var segments: [Segment] = []
    var active: Int32 = -1
    var isDirty = false
    /// Whether a file was made whose name may not be on disk yet.
    var hasNewFile = false
    /// Files that are written to no more, but may not be on disk yet.
    var retired: [Int32] = []
    /// How far each exporter has delivered, by its name.
    var positions: [String: SpoolPosition] = [:]
    var readers: [Wakeup] = []
    var counts = SpoolCounts()
    var lastError: SystemCallError?
  }

  package let options: SpoolOptions
  /// Spans that a destination refused for good.
  package let setAside: SetAside
  let state = Mutex(State())
  private let lock: FileDescriptor

  /// Opens the spool in a directory, which is made where it is missing, cuts a torn tail and finds the positions.
  package init(
    _ options: SpoolOptions, losses: LossLedger = LossLedger(log: ForwarderLog(level: .error))
  ) throws(SystemCallError) {
    self.options = options
    setAside = SetAside(
      directory: "\(options.directory)/set-aside", maximumSize: options.setAsideSize, losses: losses)
    if mkdir(options.directory, 0o700) != 0, errno != EEXIST {
      throw SystemCallError("make the spool's directory", options.directory)
    }
    let lock = try FileDescriptor.open("\(options.directory)/lock", O_RDWR | O_CREAT, mode: 0o600)
    guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
      throw SystemCallError("lock the spool (is another forwarder using it?)", options.directory)
    }
    self.lock = lock
    let found = try SpoolRecovery.segments(in: options.directory)
    state.withLock {
      $0.segments = found.segments
      $0.counts.recovered = UInt64(found.segments.reduce(0) { $0 + $1.records })
      $0.counts.cutBytes = UInt64(found.cutBytes)
      // A segment that a position is in or behind was there, though it may be gone: its number is not for new spans.
      $0.counts.lastRemoved = PositionFile.last(in: options.directory)?.segment ?? 0
    }
  }

  deinit {
    state.withLock { state in
      for file in state.retired + [state.active] where file >= 0 { _ = Glibc.close(file) }
    }
  }

  package var counts: SpoolCounts {
    state.withLock { state in
      var counts = state.counts
      counts.bytes = UInt64(state.segments.reduce(0) { $0 + $1.size })
      counts.segments = UInt64(state.segments.count)
      return counts
    }
  }

  package var lastError: SystemCallError? { state.withLock { $0.lastError } }

  // MARK: Writing

  /// Appends whole records, which ``SpoolFormat/append(_:to:)`` made, all or none. `evenWhenFull` is for what must be kept
  /// when the process ends.
  package func append(
    _ records: UnsafeRawBufferPointer, count: Int, evenWhenFull: Bool = false
  ) throws(SpoolRefusal) {
    guard records.count > 0 else { return }
    try state.withLock { state throws(SpoolRefusal) in
      var hasRoom = false
      do throws(SystemCallError) {
        hasRoom = makeRoom(for: records.count, &state) || evenWhenFull
        if hasRoom { try write(records, count, &state) }
        state.lastError = nil
      } catch {
        state.lastError = error
        throw SpoolRefusal.failed(error)
      }
      guard hasRoom else { throw SpoolRefusal.full }
      for reader in state.readers { reader.raise() }
    }
  }

  /// Deletes what may go until there is room; false when that does not suffice. What alone is larger than the spool may
  /// be is taken by an empty spool, for it would never fit.
  private func makeRoom(for bytes: Int, _ state: inout State) -> Bool {
    var total = state.segments.reduce(0) { $0 + $1.size }
    while total + bytes + SpoolFormat.headerBytes > options.maximumSize, let oldest = state.segments.first {
      let isFree = isDelivered(oldest, state)
      guard isFree || options.policy == .dropOldest else { return false }
      if !isFree { state.counts.dropped += UInt64(oldest.records) }
      if state.segments.count == 1 { closeActive(&state) }
      remove(oldest, &state)
      total -= oldest.size
    }
    return true
  }

  private func write(_ records: UnsafeRawBufferPointer, _ count: Int, _ state: inout State)
    throws(SystemCallError)
  {
    if state.active < 0 || (state.segments.last?.size ?? 0) >= options.segmentSize {
      try beginSegment(&state)
    }
    let index = state.segments.count - 1
    let before = state.segments[index].size
    do throws(SystemCallError) {
      try FileDescriptor(borrowing: state.active).writeAll(
        records, subject: path(state.segments[index].number))
      if options.syncInterval == 0, fdatasync(state.active) != 0 {
        throw SystemCallError("fdatasync", path(state.segments[index].number))
      }
    } catch {
      // No half batch stays: what comes next must begin where a record begins.
      if ftruncate(state.active, before) != 0 || lseek(state.active, 0, SEEK_END) < 0 { closeActive(&state) }
      throw error
    }
    state.segments[index].size += records.count
    state.segments[index].records += count
    state.counts.appended += UInt64(count)
    state.isDirty = true
  }

  private func beginSegment(_ state: inout State) throws(SystemCallError) {
    closeActive(&state)
    let number = max(state.segments.last?.number ?? 0, state.counts.lastRemoved) + 1
    let path = path(number)
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw SystemCallError("open", path) }
    do throws(SystemCallError) {
      let magic = SpoolFormat.magic
      try magic.withBytes { bytes throws(SystemCallError) in
        try FileDescriptor(borrowing: file).writeAll(bytes, subject: path)
      }
    } catch {
      _ = Glibc.close(file)
      _ = unlink(path)
      throw error
    }
    state.active = file
    state.segments.append(Segment(number: number, size: SpoolFormat.headerBytes, records: 0))
    state.hasNewFile = true
    if options.syncInterval == 0 { try syncDirectory() }
  }

  /// Leaves the file to ``sync()``: writers do not wait for the disk.
  private func closeActive(_ state: inout State) {
    guard state.active >= 0 else { return }
    if options.syncInterval > 0, state.retired.count < 64 {
      state.retired.append(state.active)
    } else {
      // The disk is far behind, or every write was synced.
      _ = fdatasync(state.active)
      _ = Glibc.close(state.active)
    }
    state.active = -1
  }

  /// Writes what the system holds back to the disk; to be called every ``SpoolOptions/syncInterval``.
  package func sync() throws(SystemCallError) {
    var hasNewFile = false
    let files: [Int32] = state.withLock { state in
      var files = state.retired
      state.retired = []
      hasNewFile = state.hasNewFile
      state.hasNewFile = false
      // A descriptor of its own, for the writers may close theirs meanwhile.
      if state.isDirty, state.active >= 0 { files.append(fcntl(state.active, F_DUPFD_CLOEXEC, 0)) }
      state.isDirty = false
      return files
    }
    var failure: SystemCallError?
    for file in files where file >= 0 {
      if fdatasync(file) != 0 { failure = SystemCallError("fdatasync", options.directory) }
      _ = Glibc.close(file)
    }
    do throws(SystemCallError) { if hasNewFile { try syncDirectory() } } catch { failure = error }
    guard let failure else { return }
    state.withLock { $0.lastError = failure }
    throw failure
  }

  private func syncDirectory() throws(SystemCallError) {
    let directory = try FileDescriptor.open(options.directory, O_RDONLY | O_DIRECTORY)
    guard fsync(directory.number) == 0 else { throw SystemCallError("fsync", options.directory) }
  }

  // MARK: Delivering

  /// Says that an exporter has delivered all before `position`, and deletes what nobody needs any more.
  package func acknowledge(_ position: SpoolPosition, by exporter: String) {
    state.withLock { state in
      state.positions[exporter] = position
      removeDelivered(&state)
    }
  }

  private func removeDelivered(_ state: inout State) {
    var total = state.segments.reduce(0) { $0 + $1.size }
    while let oldest = state.segments.first, isDelivered(oldest, state), state.segments.count > 1,
      total > options.keptSize
    {
      remove(oldest, &state)
      total -= oldest.size
    }
  }

  private func isDelivered(_ segment: Segment, _ state: State) -> Bool {
    // Without an exporter the spool is what queries are answered from: the oldest goes when room is needed.
    if state.positions.isEmpty { return true }
    let end = SpoolPosition(segment: segment.number, offset: segment.size)
    return state.positions.values.allSatisfy { $0 >= end }
  }

  private func remove(_ segment: Segment, _ state: inout State) {
    _ = unlink(path(segment.number))
    state.segments.removeAll { $0.number == segment.number }
    state.counts.lastRemoved = max(state.counts.lastRemoved, segment.number)
  }

  // MARK: Reading

  package func path(_ segment: UInt64) -> String { "\(options.directory)/\(SpoolFormat.fileName(segment))" }

  /// The first place of all, or the end when there is nothing.
  package var start: SpoolPosition {
    state.withLock { state in
      SpoolPosition(
        segment: state.segments.first?.number ?? state.counts.lastRemoved + 1,
        offset: SpoolFormat.headerBytes
      )
    }
  }

  package var end: SpoolPosition {
    state.withLock { state in
      guard let last = state.segments.last else {
        return SpoolPosition(segment: state.counts.lastRemoved + 1, offset: SpoolFormat.headerBytes)
      }
      return SpoolPosition(segment: last.number, offset: last.size)
    }
  }

  /// Where a reader at `position` may go on: the size of its segment, and whether that is still written to; or where the
  /// next segment begins.
  enum Extent {
    case bytes(upTo: Int, isActive: Bool)
    case moved(to: SpoolPosition, lost: Int)
    case nothing
  }

  func extent(at position: SpoolPosition) -> Extent {
    state.withLock { state in
      guard let index = state.segments.firstIndex(where: { $0.number >= position.segment }) else {
        return .nothing
      }
      let segment = state.segments[index]
      if segment.number > position.segment {
        return .moved(to: SpoolPosition(segment: segment.number, offset: SpoolFormat.headerBytes), lost: 0)
      }
      return .bytes(upTo: segment.size, isActive: index == state.segments.count - 1)
    }
  }

  /// Bytes and, about, records that wait for a reader at `position`.
  package func backlog(at position: SpoolPosition) -> (bytes: Int, records: Int) {
    state.withLock { state in
      var result = (bytes: 0, records: 0)
      for segment in state.segments where segment.number >= position.segment {
        let size = segment.size - SpoolFormat.headerBytes
        let left = segment.number == position.segment ? segment.size - position.offset : size
        guard left > 0 else { continue }
        result.bytes += left
        // Of a segment that was read in part, as many as its bytes make likely, and never none.
        result.records += left >= size ? segment.records : max(1, segment.records * left / size)
      }
      return result
    }
  }

  /// How many records wait for a reader at `position`; the rest of its segment is read for that.
  package func count(from position: SpoolPosition) -> Int {
    let later = state.withLock { state in
      state.segments.reduce(0) { $0 + ($1.number > position.segment ? $1.records : 0) }
    }
    var reader = SpoolReader(self, at: position)
    var count = 0
    while reader.position.segment == position.segment,
      let batch = (try? reader.next(records: 4096, bytes: 1 << 20)) ?? nil,
      batch.end.segment == position.segment
    { count += batch.payloads.count }
    return later + count
  }

  /// Raises `wakeup` whenever something was appended.
  package func subscribe(_ wakeup: Wakeup) { state.withLock { $0.readers.append(wakeup) } }

  /// Makes an exporter known before the first span comes, so that nothing is deleted that it has not had.
  package func register(_ exporter: String, at position: SpoolPosition) {
    state.withLock { $0.positions[exporter] = position }
  }

  func countDamage(_ records: Int) { state.withLock { $0.counts.damaged += UInt64(records) } }
}

/// What has happened to records, in numbers.
package struct SpoolCounts: Sendable {
  package var appended: UInt64 = 0
  package var recovered: UInt64 = 0
  package var cutBytes: UInt64 = 0
  package var damaged: UInt64 = 0
  package var dropped: UInt64 = 0
  package var bytes: UInt64 = 0
  package var segments: UInt64 = 0
  var lastRemoved: UInt64 = 0
}
