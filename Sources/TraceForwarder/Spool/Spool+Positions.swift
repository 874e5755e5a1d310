import Glibc
import System

/// How far each exporter has delivered.
extension Spool {
  /// Makes an exporter known before the first span comes, so that nothing is deleted that it has not had; returns where
  /// it goes on.
  ///
  /// An impossible position never causes undelivered spans to be skipped: spans are delivered again instead.
  package func register(_ exporter: String) -> SpoolPosition {
    let directory = state.withLock { $0.directory }
    let reading = PositionFile.read(exporter, in: directory, key)
    let position = state.withLock { state in
      let position = place(reading, exporter, state)
      state.positions[exporter] = position
      return position
    }
    // Its place on the disk is taken now, while there is one. When there is none it is tried again with each position.
    let isPrepared = (try? PositionFile.prepare(position, exporter, in: directory, key)) != nil
    let slot = isPrepared ? 0 : PositionFile.olderSlot(exporter, in: directory, key)
    state.withLock { $0.slots[exporter] = slot }
    return position
  }

  /// Registers an exporter at a position.
  package func register(_ exporter: String, at position: SpoolPosition) {
    state.withLock { $0.positions[exporter] = position }
  }

  private func place(_ reading: PositionFile.Reading, _ exporter: String, _ state: State) -> SpoolPosition {
    let start = Self.start(state)
    func restart(_ reason: String) -> SpoolPosition {
      log.warning(
        "an exporter's position is invalid: it starts at the oldest span, and spans may be delivered again",
        ["file": state.directory.path(PositionFile.name(exporter)), "reason": reason])
      return start
    }
    switch reading {
    case .missing: return start
    case .damaged: return restart("both lines are damaged")
    case .unreadable(let error): return restart(error)
    case .unchecked(let position):
      if let problem = problem(position, state) { return restart(problem) }
      return max(position, start)
    case .position(let position):
      // With its checksum it was right when it was written, so all before it was delivered. What it points to is gone.
      if let last = state.segments.last, position > Self.end(state) {
        warnBeyond(position, exporter, state)
        return position.segment == last.number ? Self.end(state) : position
      }
      if let segment = state.segments.first(where: { $0.number == position.segment }),
        position.offset > segment.size
      {
        warnBeyond(position, exporter, state)
        return SpoolPosition(segment: segment.number, offset: segment.size)
      }
      return max(position, start)
    }
  }

  private func warnBeyond(_ position: SpoolPosition, _ exporter: String, _ state: State) {
    log.warning(
      "an exporter's position is beyond the end of the spool: segments were removed, or the machine stopped before they were on disk",
      ["exporter": exporter, "position": position.description, "end": Self.end(state).description])
  }

  /// Why a position without a checksum is impossible; nil if it is possible.
  private func problem(_ position: SpoolPosition, _ state: State) -> String? {
    guard let last = state.segments.last else { return nil }
    if position.segment > last.number { return "it is beyond the end of the spool" }
    guard let segment = state.segments.first(where: { $0.number == position.segment }) else { return nil }
    if position.offset > segment.size { return "it is beyond the end of its segment" }
    if position.offset < segment.framing.headerBytes { return "it is within the segment's header" }
    guard let file = try? state.directory.open(SpoolFormat.fileName(segment.number), O_RDONLY) else {
      return nil
    }
    let reader = SegmentReader(
      file: OpenFile(file), segment: segment.number, framing: segment.framing, path: path(segment.number))
    // Whether a record begins there only the way from the beginning tells: a guest can have a record in its payload.
    var offset = segment.framing.headerBytes
    while offset < position.offset {
      switch try? reader.next(
        at: offset, upTo: segment.size, records: 1, bytes: SegmentReader.windowBytes)
      {
      case .records(let batch)?: offset = batch.end.offset
      case .gap(let gap)?: offset = gap.range.upperBound
      case .end?, nil: return "its segment cannot be read"
      }
    }
    return offset == position.offset ? nil : "it is within a record"
  }

  /// Writes how far an exporter has delivered, which needs no room on the disk.
  package func writePosition(_ position: SpoolPosition, by exporter: String) throws(SystemCallError) {
    let (directory, slot) = state.withLock { ($0.directory, $0.slots[exporter]) }
    guard let slot else {
      do throws(SystemCallError) { try PositionFile.prepare(position, exporter, in: directory, key) } catch {
        // One block is there if the file is, of whichever version; half a position file is better than none.
        guard error.code == ENOSPC || error.code == EDQUOT else { throw error }
        return try PositionFile.write(position, slot: 0, exporter, in: directory, key)
      }
      state.withLock { $0.slots[exporter] = 0 }
      return
    }
    do throws(SystemCallError) {
      try PositionFile.write(position, slot: slot, exporter, in: directory, key)
      state.withLock { $0.slots[exporter] = 1 - slot }
    } catch {
      // It may have been removed; it is created again next time.
      state.withLock { $0.slots[exporter] = nil }
      throw error
    }
  }
}
