import Glibc
import System

/// Makes room by deleting delivered segments, and with `drop-oldest` others.
extension Spool {
  /// Records that an exporter has delivered everything before `position`, and deletes what is no longer needed.
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

  /// Deletes what may be deleted until there is room; false if that is not enough. An empty spool accepts a batch that
  /// is larger than the spool's limit, because it would never fit.
  func makeRoom(for bytes: Int, _ state: inout State) -> Bool {
    var total = state.segments.reduce(0) { $0 + $1.size }
    while total + bytes + SpoolHeader.bytes > options.maximumSize, let oldest = state.segments.first {
      let isFree = isDelivered(oldest, state)
      guard isFree || options.policy == .dropOldest else { return false }
      if !isFree {
        let lost = undelivered(oldest, state)
        state.counts.dropped += UInt64(lost)
        losses.add(.spoolFull, lost, [("segment", SpoolFormat.fileName(oldest.number))])
      }
      remove(oldest, &state)
      total -= oldest.size
    }
    return true
  }

  /// Deletes the oldest file that is no longer needed, even if it was to be kept for queries; false if there is none.
  func freeDelivered(_ state: inout State) -> Bool {
    if let aside = state.directory.asideFiles().first, state.directory.remove(aside.name) {
      log.warning(
        "a damaged segment that was kept is deleted: the disk is full",
        ["file": state.directory.path(aside.name)])
      return true
    }
    guard let oldest = state.segments.first, isDelivered(oldest, state) else { return false }
    // One that was just begun frees nothing, and would be begun again forever.
    guard oldest.records > 0 || oldest.isDamaged || state.segments.count > 1 else { return false }
    remove(oldest, &state, keepsDamaged: false)
    return true
  }

  private func isDelivered(_ segment: Segment, _ state: State) -> Bool {
    // Without an exporter the spool is what queries are answered from: the oldest goes when room is needed.
    if state.positions.isEmpty { return true }
    let end = SpoolPosition(segment: segment.number, offset: segment.size)
    return state.positions.values.allSatisfy { $0 >= end }
  }

  /// How many records of a segment the exporter that is furthest behind has not delivered; all without an exporter.
  func undelivered(_ segment: Segment, _ state: State) -> Int {
    guard let last = state.positions.values.min() else { return segment.records }
    if last.segment > segment.number { return 0 }
    if last.segment < segment.number || last.offset <= segment.framing.headerBytes { return segment.records }
    let left = segment.size - last.offset
    guard left > 0 else { return 0 }
    if let file = try? state.directory.open(SpoolFormat.fileName(segment.number), O_RDONLY) {
      let reader = SegmentReader(
        file: OpenFile(file), segment: segment.number, framing: segment.framing, path: path(segment.number)
      )
      if let survey = try? reader.survey(from: last.offset, upTo: segment.size) { return survey.records }
    }
    return Self.share(of: segment, left)
  }

  /// The approximate number of records in this many bytes of a segment; at least one.
  static func share(of segment: Segment, _ bytes: Int) -> Int {
    let size = segment.size - segment.framing.headerBytes
    return bytes >= size || size <= 0
      ? segment.records : max(1, Int(Double(segment.records) * Double(bytes) / Double(size)))
  }

  func remove(_ segment: Segment, _ state: inout State, keepsDamaged: Bool = true) {
    // An open file would keep its place on the disk.
    if segment.number == state.segments.last?.number { state.active = nil }
    state.retired.removeAll { $0.segment == segment.number }
    let name = SpoolFormat.fileName(segment.number)
    if segment.isDamaged, keepsDamaged {
      state.directory.rename(name, SpoolDirectory.asideName(name))
      limitAside(state.directory)
    } else {
      state.directory.remove(name)
    }
    state.segments.removeAll { $0.number == segment.number }
    state.counts.lastRemoved = max(state.counts.lastRemoved, segment.number)
  }

  /// Damaged segments stay for a person to look at, but no more than a sixteenth of the spool, or one.
  private func limitAside(_ directory: SpoolDirectory) {
    let files = directory.asideFiles()
    var total = files.reduce(0) { $0 + $1.size }
    for file in files.dropLast() where total > options.maximumSize / 16 {
      directory.remove(file.name)
      total -= file.size
    }
  }

  // MARK: The directory

  /// Checks whether the directory is still in its place, at most ten times a second.
  ///
  /// A deleted directory is created again, and one that was replaced is left for the new one. While it is only missing,
  /// as on an unmounted disk, nothing is written: it would be hidden under the mount point later.
  func findDirectory(_ state: inout State) throws(SystemCallError) {
    let now = MonotonicClock.milliseconds
    guard now - state.lastLook >= 100 else { return }
    do throws(SystemCallError) { try checkDirectory(&state) } catch {
      state.isAway = true
      throw error
    }
    if state.isAway { state.lastError = nil }
    state.isAway = false
    state.lastLook = now
  }

  private func checkDirectory(_ state: inout State) throws(SystemCallError) {
    switch state.directory.place {
    case .here: break
    case .away: throw isAway
    case .replaced:
      let other = try SpoolDirectory(readOnly: options.directory)
      // It belongs to the same spool if its disk was mounted again.
      if SpoolRecovery.key(in: other) != key, state.directory.isOnAnotherDisk(than: other) { throw isAway }
      try takeNewDirectory(&state)
    case .deleted: try takeNewDirectory(&state)
    }
  }

  private var isAway: SystemCallError {
    SystemCallError(
      "find the spool's directory (mount its disk, or make it again for the forwarder's user)",
      options.directory, code: ENOENT)
  }

  private func takeNewDirectory(_ state: inout State) throws(SystemCallError) {
    let directory = try SpoolDirectory(options.directory)
    do throws(SpoolFailure) { try SpoolRecovery.refuseNewer(in: directory) } catch {
      log.limited(
        .error, by: "directory", "the spool's directory cannot be used", ["error": error.description])
      throw SystemCallError("use the directory that took the spool's place", options.directory, code: EEXIST)
    }
    let found = try SpoolRecovery.segments(in: directory)
    // Exporters are ahead of another spool's segments, which would be treated as delivered.
    let isKnown = found.segments.allSatisfy { segment in
      state.segments.contains { $0.number == segment.number && $0.framing == segment.framing }
    }
    guard isKnown else {
      throw SystemCallError(
        "use the other spool that took the place of this one (restart the forwarder)", options.directory,
        code: EEXIST)
    }
    let there = Set(found.segments.map(\.number))
    let lost = state.segments.filter { !there.contains($0.number) }.reduce(0) { $0 + undelivered($1, state) }
    log.warning(
      "the spool's directory was removed or replaced: another is used in its place",
      [
        "directory": options.directory,
        "spans_found": String(found.segments.reduce(0) { $0 + $1.records }),
      ])
    state.counts.damaged += UInt64(lost)
    losses.add(.spoolDamaged, lost, [("reason", "the spool's directory was removed")])
    state.counts.lastRemoved = max(state.counts.lastRemoved, state.segments.last?.number ?? 0)
    closeActive(&state)
    state.directory = directory
    state.generation += 1
    state.slots = [:]
    state.hasKeyFile = SpoolRecovery.key(in: directory) == key
    take(found, &state)
  }

  /// Periodic work, done whether spans arrive or not.
  package func look() {
    do throws(SystemCallError) {
      try state.withLock { state throws(SystemCallError) in
        try findDirectory(&state)
      }
    } catch {
      state.withLock { $0.lastError = error }
      log.limited(.error, by: "directory", "the spool cannot be written", ["error": error.description])
    }
    takeResent()
  }
}
