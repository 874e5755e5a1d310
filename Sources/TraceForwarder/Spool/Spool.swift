import Bytes
import CLinux
import Glibc
import Logging
import System

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

/// Why a batch was refused. It must be offered again.
package enum SpoolRefusal: Error, Sendable {
  case full
  case failed(SystemCallError)
}

/// The spans that were received and that some exporter has not delivered yet, on disk.
///
/// Writers append from any thread; each exporter reads with a ``SpoolReader`` and tells how far it has delivered.
/// Memory does not grow with what waits: of each segment only its size and number of records are known.
package final class Spool: Sendable {
  struct Segment {
    var number: UInt64
    var size: Int
    var records: Int
    var framing: SegmentFraming
    /// Whether something in it is not a record, so that its file is kept even when it is no longer needed.
    var isDamaged = false
  }

  struct State {
    var directory: SpoolDirectory
    /// Rises when another directory takes the place of the one before.
    var generation = 0
    /// Milliseconds of the monotonic clock at which the directory was last seen in its place.
    var lastLook = 0
    /// Whether the last error is that the directory is not in its place.
    var isAway = false
    var segments: [Segment] = []
    /// The file of the last segment, which is written to; nil when the next batch begins another.
    var active: OpenFile?
    var isDirty = false
    /// Whether a file was made whose name may not be on disk yet.
    var hasNewFile = false
    /// Files that are written to no more, but may not be on disk yet.
    var retired: [(segment: UInt64, file: OpenFile)] = []
    /// How far each exporter has delivered, by its name.
    var positions: [String: SpoolPosition] = [:]
    /// Which slot of an exporter's position file is written next; none before the file is prepared.
    var slots: [String: Int] = [:]
    var readers: [Wakeup] = []
    var counts = SpoolCounts()
    var lastError: SystemCallError?
    /// Damage that was reported, so that each is once, whichever exporter meets it.
    var known: Set<SpoolPosition> = []
    /// Whether the secret is in its file.
    var hasKeyFile = true
    /// A descriptor that is given up for the next segment when none is free, for guests' connections may have taken all
    /// others; nil while there is none.
    var spare: OpenFile?
  }

  package let options: SpoolOptions
  /// Spans that a destination refused permanently.
  package let setAside: SetAside
  /// What records must be framed with; see ``SpoolKey/append(_:to:)``.
  package let key: SpoolKey
  let losses: LossLedger
  let log: StructuredLog
  let state: Lock<State>

  /// Opens the spool in a directory, which is made where it is missing, and finds segments and positions.
  package init(
    _ options: SpoolOptions, losses: LossLedger? = nil, log: StructuredLog = .silent
  ) throws(SpoolFailure) {
    let losses = losses ?? LossLedger(log: log)
    self.options = options
    self.losses = losses
    self.log = log
    let directory = try SpoolFailure.from { () throws(SystemCallError) in
      try SpoolDirectory(options.directory)
    }
    try SpoolRecovery.refuseNewer(in: directory)
    let found = try SpoolFailure.from { () throws(SystemCallError) in
      try SpoolRecovery.segments(in: directory)
    }
    let key = found.key ?? SpoolKey.random()
    self.key = key
    setAside = SetAside(
      directory: "\(options.directory)/set-aside", maximumSize: options.setAsideSize, losses: losses, key: key
    )
    var state = State(directory: directory)
    state.hasKeyFile = SpoolRecovery.key(in: directory) == key
    // A segment that a position is in or after was there, though it may be gone: its number is not for new spans.
    state.counts.lastRemoved = PositionFile.last(in: directory, key)?.segment ?? 0
    self.state = Lock(state)
    self.state.withLock { state in
      Self.keepSpare(&state)
      take(found, &state)
      writeKey(&state)
    }
  }

  /// Takes over what was found in the directory.
  func take(_ found: SpoolRecovery.Found, _ state: inout State) {
    state.segments = found.segments
    state.counts.recovered += UInt64(found.segments.reduce(0) { $0 + $1.records })
    state.counts.cutBytes += UInt64(found.tornBytes)
    for name in found.unknown {
      state.counts.damaged += 1
      losses.add(
        .spoolDamaged, 1,
        [
          ("file", state.directory.path(name)), ("kept_as", SpoolDirectory.asideName(name)),
          ("reason", "it is not a segment of any version"),
        ])
    }
  }

  /// The secret is in each segment as well, so a full disk does not prevent a start.
  private func writeKey(_ state: inout State) {
    guard !state.hasKeyFile else { return }
    state.hasKeyFile =
      (try? state.directory.replace(SpoolDirectory.keyName, SpoolHeader.encode(key, .key))) != nil
  }

  package var counts: SpoolCounts {
    state.withLock { state in
      var counts = state.counts
      counts.bytes = UInt64(state.segments.reduce(0) { $0 + $1.size })
      counts.segments = UInt64(state.segments.count)
      return counts
    }
  }

  /// Whether exporters should give room back soon: three quarters are in use.
  package var isNearlyFull: Bool { counts.bytes > UInt64(options.maximumSize / 4 * 3) }

  package var lastError: SystemCallError? { state.withLock { $0.lastError } }

  // MARK: Writing

  /// Appends whole records, which ``SpoolKey/append(_:to:)`` of ``key`` made, all or none. `evenWhenFull` is for what
  /// must be kept when the process ends.
  package func append(
    _ records: UnsafeRawBufferPointer, count: Int, evenWhenFull: Bool = false
  ) throws(SpoolRefusal) {
    guard records.count > 0 else { return }
    try state.withLock { state throws(SpoolRefusal) in
      var hasRoom = false
      do throws(SystemCallError) {
        try findDirectory(&state)
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

  /// Writes records; while the disk is full, what was delivered makes room, the segment that is written to included.
  private func write(_ records: UnsafeRawBufferPointer, _ count: Int, _ state: inout State)
    throws(SystemCallError)
  {
    while true {
      do throws(SystemCallError) { return try writeOnce(records, count, &state) } catch {
        guard error.code == ENOSPC || error.code == EDQUOT, freeDelivered(&state) else { throw error }
      }
    }
  }

  private func writeOnce(_ records: UnsafeRawBufferPointer, _ count: Int, _ state: inout State)
    throws(SystemCallError)
  {
    let active = try activeFile(&state)
    let index = state.segments.count - 1
    let before = state.segments[index].size
    do throws(SystemCallError) {
      try active.file.writeAll(records, subject: path(state.segments[index].number))
      if options.syncInterval == 0, !active.syncData() {
        throw SystemCallError("fdatasync", path(state.segments[index].number))
      }
    } catch {
      // No half batch stays: what comes next must begin where a record begins.
      if ftruncate(active.number, off_t(before)) != 0 || lseek(active.number, 0, SEEK_END) < 0 {
        closeActive(&state)
      }
      throw error
    }
    state.segments[index].size += records.count
    state.segments[index].records += count
    state.counts.appended += UInt64(count)
    state.isDirty = true
  }

  /// The file of the segment that has room for more.
  private func activeFile(_ state: inout State) throws(SystemCallError) -> OpenFile {
    if let active = state.active, (state.segments.last?.size ?? 0) < options.segmentSize { return active }
    return try beginSegment(&state)
  }

  private func beginSegment(_ state: inout State) throws(SystemCallError) -> OpenFile {
    closeActive(&state)
    writeKey(&state)
    let number = max(state.segments.last?.number ?? 0, state.counts.lastRemoved) + 1
    let name = SpoolFormat.fileName(number)
    // Nothing that is there already is ever emptied.
    let file = try openSegment(name, &state)
    do throws(SystemCallError) {
      try SpoolHeader.encode(key, .segment).withBytes { bytes throws(SystemCallError) in
        try file.writeAll(bytes, subject: path(number))
      }
    } catch {
      state.directory.remove(name)
      throw error
    }
    let active = OpenFile(file)
    state.active = active
    state.segments.append(
      Segment(number: number, size: SpoolHeader.bytes, records: 0, framing: .version2(key)))
    state.hasNewFile = true
    if options.syncInterval == 0 { try state.directory.sync() }
    return active
  }

  private func openSegment(_ name: String, _ state: inout State) throws(SystemCallError) -> FileDescriptor {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND
    do throws(SystemCallError) {
      return try state.directory.open(name, flags)
    } catch {
      guard error.code == EMFILE || error.code == ENFILE, state.spare != nil else { throw error }
      state.spare = nil
      return try state.directory.open(name, flags)
    }
  }

  private static func keepSpare(_ state: inout State) {
    guard state.spare == nil, let file = try? FileDescriptor.open("/dev/null", O_RDONLY) else { return }
    state.spare = OpenFile(file)
  }

  /// Leaves the file to ``sync()``: writers do not wait for the disk.
  func closeActive(_ state: inout State) {
    guard let active = state.active else { return }
    if options.syncInterval > 0, state.retired.count < 64, let segment = state.segments.last {
      state.retired.append((segment.number, active))
    } else {
      // The disk is far behind, or every write was synced.
      _ = active.syncData()
    }
    state.active = nil
  }

  /// Writes what the system still buffers to the disk; call it every ``SpoolOptions/syncInterval``.
  package func sync() throws(SystemCallError) {
    var failure: SystemCallError?
    var (files, directory): ([OpenFile], SpoolDirectory?) = state.withLock { state in
      var files = state.retired.map(\.file)
      state.retired = []
      let directory = state.hasNewFile ? state.directory : nil
      state.hasNewFile = false
      // It stays open until it is synced, though the writers may let go of it meanwhile.
      if state.isDirty, let active = state.active {
        files.append(active)
        state.isDirty = false
      }
      return (files, directory)
    }
    while !files.isEmpty {
      let file = files.removeFirst()
      if !file.syncData() { failure = SystemCallError("fdatasync", options.directory) }
    }
    do throws(SystemCallError) { try directory?.sync() } catch {
      failure = error
      state.withLock { $0.hasNewFile = true }
    }
    state.withLock { state in
      Self.keepSpare(&state)
      if let failure { state.lastError = failure }
    }
    if let failure { throw failure }
  }
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
