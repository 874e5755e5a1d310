import Glibc
import System

/// Records that an exporter is handed at once.
package struct SpoolBatch: Sendable {
  package var bytes: [UInt8] = []
  /// Where in ``bytes`` each payload is.
  package var payloads: [Range<Int>] = []
  /// Where ``bytes`` begins.
  package var start: SpoolPosition
  /// Behind the last one.
  package var end: SpoolPosition

  /// Calls `body` with each payload.
  package func visitPayloads(_ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { bytes in
      for range in payloads { body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }
  }
}

/// Reads the spool from a position on, for one exporter.
package struct SpoolReader: ~Copyable {
  private let spool: Spool
  package private(set) var position: SpoolPosition
  private var file: FileDescriptor?
  /// The descriptor's number, and which segment it is of.
  private var descriptor: Int32 = -1
  private var fileSegment: UInt64 = 0

  package init(_ spool: Spool, at position: SpoolPosition) {
    self.spool = spool
    self.position = max(position, spool.start)
  }

  /// The next records, at most this many and, but for a single larger one, this many bytes; nil when there are none.
  package mutating func next(records limit: Int, bytes size: Int) throws(SystemCallError) -> SpoolBatch? {
    while true {
      switch spool.extent(at: position) {
      case .nothing: return nil
      case .moved(let start, _):
        position = start
      case .bytes(let end, let isActive):
        if position.offset >= end {
          if isActive { return nil }
          position = SpoolPosition(segment: position.segment + 1, offset: SpoolFormat.headerBytes)
          continue
        }
        if let batch = try read(upTo: end, isActive, limit, size) { return batch }
      }
    }
  }

  private mutating func read(
    upTo end: Int, _ isActive: Bool, _ limit: Int, _ size: Int
  ) throws(SystemCallError) -> SpoolBatch? {
    guard try openSegment() else {
      // Deleted in between, to make room.
      position = SpoolPosition(segment: position.segment + 1, offset: SpoolFormat.headerBytes)
      return nil
    }
    var batch = SpoolBatch(start: position, end: position)
    var wanted = min(size, end - position.offset)
    while true {
      try fill(&batch, wanted)
      let offset = position.offset
      let (behind, more) = find(&batch, limit)
      if !batch.payloads.isEmpty || behind > offset {
        position.offset = behind
        batch.end = position
        return batch.payloads.isEmpty ? nil : batch
      }
      if let more, more <= end - offset, more > wanted {
        wanted = more
        continue
      }
      spool.countDamage(1)
      position.offset =
        try SpoolRecovery.next(
          descriptor, from: position.offset, upTo: end, spool.path(position.segment)) ?? end
      return nil
    }
  }

  private mutating func openSegment() throws(SystemCallError) -> Bool {
    if descriptor >= 0, fileSegment == position.segment { return true }
    do throws(SystemCallError) {
      let opened = try FileDescriptor.open(spool.path(position.segment), O_RDONLY)
      descriptor = opened.number
      fileSegment = position.segment
      file = consume opened
      return true
    } catch {
      file = nil
      descriptor = -1
      if error.code == ENOENT { return false }
      throw error
    }
  }

  private func fill(_ batch: inout SpoolBatch, _ count: Int) throws(SystemCallError) {
    batch.bytes = try SpoolRecovery.bytes(
      descriptor, at: position.offset, count, spool.path(position.segment))
  }

  /// Finds the records in a batch's bytes: the offset in the segment behind the last, and how many bytes the first one
  /// that is cut off needs.
  private func find(_ batch: inout SpoolBatch, _ limit: Int) -> (Int, Int?) {
    var offset = 0
    var needed: Int?
    var payloads: [Range<Int>] = []
    batch.bytes.withUnsafeBytes { bytes in
      scan: while payloads.count < limit, offset < bytes.count {
        switch SpoolFormat.record(at: offset, in: bytes) {
        case .good(let payload, let end):
          payloads.append(end - payload.count..<end)
          offset = end
        case .incomplete(let more):
          needed = more
          break scan
        case .damaged, .senseless: break scan
        }
      }
    }
    batch.payloads = payloads
    return (position.offset + offset, needed)
  }
}
