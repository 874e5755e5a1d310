import Bytes
import Glibc
import System

/// Records that an exporter is handed at once.
package struct SpoolBatch: Sendable {
  package var bytes: [UInt8] = []
  /// Where in ``bytes`` each payload is.
  package var payloads: [Range<Int>] = []
  /// Where ``bytes`` begins.
  package var start: SpoolPosition
  /// After the last record.
  package var end: SpoolPosition
  /// Bytes of a record before its payload.
  package var recordHeaderBytes = SpoolKey.recordHeaderBytes

  package init(start: SpoolPosition, end: SpoolPosition) {
    self.start = start
    self.end = end
  }

  /// Calls `body` with each payload.
  package func visitPayloads(_ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withBytes { bytes in
      for range in payloads { body(bytes.part(clamping: range)) }
    }
  }

  /// Where the record begins whose payload is at this place of ``bytes``.
  func position(of payload: Range<Int>) -> SpoolPosition {
    SpoolPosition(segment: start.segment, offset: start.offset + payload.lowerBound - recordHeaderBytes)
  }
}

/// Reads the spool from a position on, for one exporter.
package struct SpoolReader: ~Copyable {
  /// The purpose of reading, which decides whether unreadable records are a loss.
  package enum Purpose: Sendable {
    case delivery
    /// For queries: a loss only if nothing is delivered elsewhere.
    case queries
    /// Only for counting.
    case counting
  }

  private let spool: Spool
  private let purpose: Purpose
  package private(set) var position: SpoolPosition
  /// The open segment. It is closed whenever all was read: a deleted one would keep its place on a full disk.
  private var file: OpenFile?
  private var fileSegment: UInt64 = 0
  private var generation = 0

  package init(_ spool: Spool, at position: SpoolPosition, for purpose: Purpose = .delivery) {
    self.spool = spool
    self.purpose = purpose
    self.position = max(position, spool.start)
  }

  /// The next records, at most this many and, but for a single larger one, this many bytes; nil if there are none.
  package mutating func next(records limit: Int, bytes size: Int) throws(SystemCallError) -> SpoolBatch? {
    while true {
      switch spool.extent(at: position) {
      case .nothing:
        file = nil
        return nil
      case .moved(let start): position = start
      case .bytes(let end, let isActive, let framing, let generation):
        position.offset = max(position.offset, framing.headerBytes)
        if position.offset >= end {
          file = nil
          if isActive { return nil }
          position = SpoolPosition(segment: position.segment + 1, offset: 0)
          continue
        }
        guard let file = try openSegment(generation) else {
          spool.noteMissing(position.segment)
          position = SpoolPosition(segment: position.segment + 1, offset: 0)
          continue
        }
        let reader = SegmentReader(
          file: file, segment: position.segment, framing: framing, path: spool.path(position.segment))
        switch try reader.next(at: position.offset, upTo: end, records: limit, bytes: size) {
        case .records(let batch):
          position = batch.end
          return batch
        case .gap(let gap):
          spool.note(gap, in: position.segment, purpose)
          position.offset = gap.range.upperBound
        case .end: position.offset = end
        }
      }
    }
  }

  /// The open segment; nil when its file is gone.
  private mutating func openSegment(_ generation: Int) throws(SystemCallError) -> OpenFile? {
    if let file, fileSegment == position.segment, generation == self.generation { return file }
    file = nil
    guard let opened = try spool.openSegment(position.segment) else { return nil }
    let file = OpenFile(opened)
    fileSegment = position.segment
    self.generation = generation
    self.file = file
    return file
  }
}
