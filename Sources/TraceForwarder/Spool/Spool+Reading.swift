import Glibc
import System

/// Positions in the spool, for readers.
extension Spool {
  /// For messages.
  package func path(_ segment: UInt64) -> String { "\(options.directory)/\(SpoolFormat.fileName(segment))" }

  /// A segment's file; nil if it no longer exists.
  func openSegment(_ number: UInt64) throws(SystemCallError) -> FileDescriptor? {
    let directory = state.withLock { $0.directory }
    do throws(SystemCallError) { return try directory.open(SpoolFormat.fileName(number), O_RDONLY) } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
  }

  /// How a segment's records are framed; nil if it no longer exists.
  func framing(of number: UInt64) -> SegmentFraming? {
    state.withLock { state in state.segments.first { $0.number == number }?.framing }
  }

  /// The position of the first record, or the end if the spool is empty.
  package var start: SpoolPosition { state.withLock { Self.start($0) } }

  static func start(_ state: State) -> SpoolPosition {
    guard let first = state.segments.first else {
      return SpoolPosition(segment: state.counts.lastRemoved + 1, offset: SpoolHeader.bytes)
    }
    return SpoolPosition(segment: first.number, offset: first.framing.headerBytes)
  }

  package var end: SpoolPosition { state.withLock { Self.end($0) } }

  static func end(_ state: State) -> SpoolPosition {
    guard let last = state.segments.last else { return start(state) }
    return SpoolPosition(segment: last.number, offset: last.size)
  }

  /// Where a reader at `position` may go on: the size of its segment, whether that is still written to, and how to read
  /// it; or where the next segment begins.
  enum Extent {
    case bytes(upTo: Int, isActive: Bool, SegmentFraming, generation: Int)
    case moved(to: SpoolPosition)
    case nothing
  }

  func extent(at position: SpoolPosition) -> Extent {
    state.withLock { state in
      guard let index = state.segments.firstIndex(where: { $0.number >= position.segment }) else {
        return .nothing
      }
      let segment = state.segments[index]
      if segment.number > position.segment {
        return .moved(to: SpoolPosition(segment: segment.number, offset: segment.framing.headerBytes))
      }
      return .bytes(
        upTo: segment.size, isActive: index == state.segments.count - 1, segment.framing,
        generation: state.generation)
    }
  }

  /// Bytes and, about, records that wait for a reader at `position`.
  package func backlog(at position: SpoolPosition) -> (bytes: Int, records: Int) {
    state.withLock { state in
      var result = (bytes: 0, records: 0)
      for segment in state.segments where segment.number >= position.segment {
        let size = segment.size - segment.framing.headerBytes
        let left = segment.number == position.segment ? min(size, segment.size - position.offset) : size
        guard left > 0 else { continue }
        result.bytes += left
        result.records += Self.share(of: segment, left)
      }
      return result
    }
  }

  /// The number of records that wait for a reader at `position`; reads the rest of its segment to count them.
  package func count(from position: SpoolPosition) -> Int {
    let later = state.withLock { state in
      state.segments.reduce(0) { $0 + ($1.number > position.segment ? $1.records : 0) }
    }
    var reader = SpoolReader(self, at: position, for: .counting)
    var count = 0
    while reader.position.segment == position.segment,
      let batch = (try? reader.next(records: 4096, bytes: 1 << 20)) ?? nil,
      batch.end.segment == position.segment
    { count += batch.payloads.count }
    return later + count
  }

  /// Raises `wakeup` whenever something was appended.
  package func subscribe(_ wakeup: Wakeup) { state.withLock { $0.readers.append(wakeup) } }

  // MARK: Losses

  /// Counts and reports what cannot be read, once.
  func note(_ gap: SegmentGap, in segment: UInt64, _ purpose: SpoolReader.Purpose) {
    guard purpose != .counting else { return }
    let place = SpoolPosition(segment: segment, offset: gap.range.lowerBound)
    let isNew = state.withLock { state in
      if gap.kind != .torn, let index = state.segments.firstIndex(where: { $0.number == segment }) {
        state.segments[index].isDamaged = true
      }
      guard purpose == .delivery || state.positions.isEmpty else { return false }
      if state.known.count >= 100_000 { state.known.removeAll() }
      guard state.known.insert(place).inserted else { return false }
      state.counts.damaged += UInt64(gap.records)
      return true
    }
    guard isNew else { return }
    var fields = [
      ("file", path(segment)), ("offset", String(gap.range.lowerBound)), ("bytes", String(gap.range.count)),
    ]
    if gap.kind == .rest { fields.append(("kept_as", SpoolDirectory.asideName(path(segment)))) }
    // It is unknown whether a record without its end had been accepted before the file was cut: it counts as lost.
    if gap.kind == .torn { fields.append(("reason", "the last record lacks its end")) }
    losses.add(.spoolDamaged, gap.kind == .torn ? 1 : gap.records, fields)
  }

  /// Counts and reports a segment whose file is gone though the spool has not deleted it.
  func noteMissing(_ number: UInt64) {
    let lost: Int = state.withLock { state in
      guard let segment = state.segments.first(where: { $0.number == number }),
        (try? state.directory.open(SpoolFormat.fileName(number), O_RDONLY)) == nil
      else { return 0 }
      let lost = undelivered(segment, state)
      remove(segment, &state)
      state.counts.damaged += UInt64(lost)
      return lost
    }
    losses.add(.spoolDamaged, lost, [("file", path(number)), ("reason", "the file is gone")])
  }
}
