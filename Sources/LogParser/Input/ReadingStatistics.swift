import Bytes

/// Counts of records that were read, and of records that were lost.
package struct ReadingStatistics: Sendable, Equatable {
  /// Records that were read, whole or raw.
  package var records: UInt64 = 0
  /// Lines that match no format and were kept as they are.
  package var raw: UInt64 = 0
  /// Records whose time was taken from a neighbouring record.
  package var inheritedTimes: UInt64 = 0
  /// Records that could not be read.
  package var bad: UInt64 = 0
  /// Bad records that were written as well as they could be read.
  package var mended: UInt64 = 0
  /// Records over the size limit.
  package var tooLong: UInt64 = 0
  /// Records that were cut off by their writer.
  package var truncated: UInt64 = 0
  /// Records whose agent record could not be unpacked.
  package var unpackFailures: UInt64 = 0
  /// Messages that journald reports as suppressed.
  package var suppressed: UInt64 = 0
  /// Messages that a Rust logger reports as dropped because its queue was full.
  package var dropped: UInt64 = 0
  /// Places where the journal could not be read.
  package var journalGaps: UInt64 = 0
  /// How often followed files were truncated in place.
  package var truncations: UInt64 = 0
  /// Records that were left out as duplicates.
  package var duplicates: UInt64 = 0
  /// Records that were not selected.
  package var unselected: UInt64 = 0
  /// Inputs that could not be read, or not to their end.
  package var failedInputs: UInt64 = 0
  /// Inputs that were read completely, with a warning.
  package var inputWarnings: UInt64 = 0
  /// Records that follow a later one in the output because the reorder window was too small.
  package var late: UInt64 = 0

  /// Lines of files, and what became of those that are not records of their own.
  package var lines = LineCounts()
  /// Records from lines: all except those of a journal that is read in place.
  package var recordsOfLines: UInt64 = 0
  /// Records that came before the line that names their owner.
  package var early: UInt64 = 0
  /// Ids of sandboxes, containers and processes that were forgotten because there were too many.
  package var forgottenIDs: UInt64 = 0

  package init() {}

  /// Lines that continue a record that began on another line.
  package var joinedLines: UInt64 {
    let others = recordsOfLines + (bad - mended) + tooLong + lines.blank + lines.skipped
    let all = lines.lines + lines.split
    return all > others ? all - others : 0
  }

  /// Adds what an input's lines became.
  mutating func add(_ counts: LineCounts) {
    lines.lines += counts.lines
    lines.blank += counts.blank
    lines.skipped += counts.skipped
    lines.split += counts.split
  }

  /// Notes the losses that a record reports.
  @inline(__always)
  package mutating func note(_ record: borrowing Record) {
    records += 1
    if !record.marks.isEmpty { note(record.marks) }
    // A call would copy the whole record.
    let first = record.message.peek(0)
    if first == 0x53 || first == 0x73 { noteLoss(record.message, record.fields) }
  }

  private mutating func note(_ marks: RecordMarks) {
    if marks.contains(.isRaw) { raw += 1 }
    if marks.contains(.timeIsInherited) { inheritedTimes += 1 }
    if marks.contains(.isTruncated) { truncated += 1 }
    if marks.contains(.unpackFailed) { unpackFailures += 1 }
  }

  /// "Suppressed 12 messages from …", "slog-async: logger dropped messages due to channel overflow, count: 12", or the
  /// latter with the count in a separate field.
  private mutating func noteLoss(_ message: ByteSlice, _ fields: borrowing FieldList) {
    if message.hasPrefix("Suppressed ") {
      var scanner = TextScanner(message.dropFirst(11))
      if let count = scanner.number(1, 18), scanner.take(" messages from ") { suppressed += UInt64(count) }
    } else if message.hasPrefix("slog-async: "),
      let place = message.range(of: "dropped messages due to channel overflow")
    {
      var scanner = TextScanner(message.dropFirst(place + 40))
      var count = scanner.take(", count: ") ? scanner.number(1, 18) : nil
      if count == nil { count = fields.value(of: "count").flatMap { DecimalNumber.parse($0) } }
      // The record implies at least one.
      dropped += UInt64(max(1, count ?? 1))
    }
  }

  /// Adds the counts of another reader.
  package mutating func add(_ other: ReadingStatistics) {
    records += other.records
    raw += other.raw
    inheritedTimes += other.inheritedTimes
    bad += other.bad
    mended += other.mended
    recordsOfLines += other.recordsOfLines
    add(other.lines)
    tooLong += other.tooLong
    truncated += other.truncated
    unpackFailures += other.unpackFailures
    suppressed += other.suppressed
    dropped += other.dropped
    journalGaps += other.journalGaps
    truncations += other.truncations
    duplicates += other.duplicates
    unselected += other.unselected
    failedInputs += other.failedInputs
    inputWarnings += other.inputWarnings
    late += other.late
    early += other.early
    forgottenIDs += other.forgottenIDs
  }
}
