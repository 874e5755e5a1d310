import Bytes
import Encodings
import System

/// Records for Fluentd and Fluent Bit: flat, with the journal's own fields under their names, and what was read from
/// the record under `kata_` and its key. See `formats/output/fluentd`.
package struct FluentdFormatter: RecordFormatter {
  /// How the records are written.
  package enum Form: Sendable {
    /// For a delivery: each entry, `[time, record]` in MessagePack, preceded by its length.
    case framed
    /// One JSON object per line, for the tail and exec inputs.
    case lines
  }

  private let form: Form

  package init(_ form: Form) { self.form = form }

  package func begin(_ out: inout OutputBuffer) {}
  package func end(_ out: inout OutputBuffer, count: UInt64) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    let time = RecordTime.sendable(record.time) {
      let now = WallClock.nanoseconds
      return Timestamp(
        seconds: Int64(now / 1_000_000_000), nanoseconds: UInt32(now % 1_000_000_000))
    }
    switch form {
    case .framed: putEntry(record, place, time, &out)
    case .lines: putLine(record, place, time, &out)
    }
  }

  /// The most bytes of all texts and of what surrounds them; the file's name may occur twice.
  private static func bound(_ record: borrowing Record, _ place: RecordPlace, growth: Int) -> Int {
    let journal = record.marks.contains(.hasJournalFields) ? 2 * 1026 : 0
    return 1024 + (record.fields.count + journal) * 24
      + (record.textLength + 2 * place.filename.count + place.cursor.count) * growth
  }

  private func putEntry(
    _ record: borrowing Record, _ place: RecordPlace, _ time: Timestamp, _ out: inout OutputBuffer
  ) {
    var pairs = PairCount()
    Self.visit(record, place, time, &pairs)
    let start = out.count
    var cursor = out.cursor(reserving: Self.bound(record, place, growth: UTF8Repair.growth))
    cursor.put(little: UInt32(0))
    cursor.put(arrayOf: 2)
    cursor.put(eventTime: UInt32(clamping: time.seconds), nanoseconds: time.nanoseconds)
    cursor.put(mapOf: pairs.count)
    var sink = MessagePackPairs(out: cursor)
    Self.visit(record, place, time, &sink)
    out.commit(sink.out)
    out.overwrite(at: start, little: UInt32(clamping: out.count - start - 4))
  }

  private func putLine(
    _ record: borrowing Record, _ place: RecordPlace, _ time: Timestamp, _ out: inout OutputBuffer
  ) {
    var sink = JSONPairs(
      out: out.cursor(reserving: Self.bound(record, place, growth: JSONText.growth)))
    Self.visit(record, place, time, &sink)
    sink.out.put("}\n")
    out.commit(sink.out)
  }

  /// Passes the pairs of a record to `sink`: the same pairs in the same order for each encoding.
  @inline(__always)
  private static func visit<Sink: FlatPairSink>(
    _ record: borrowing Record, _ place: RecordPlace, _ time: Timestamp, _ sink: inout Sink
  ) {
    var cursor: ByteSlice?
    let journal = JournalFields.reader(record)
    if var journal {
      while journal.remaining > 0 {
        let name = journal.text()
        let value = journal.text()
        if name == JournalFields.cursorName { cursor = value } else { sink.put("", name, value) }
      }
    }
    sink.put("kata_time", time: time, record.scratch.lastMinute)
    if !record.level.isEmpty { sink.put("kata_level", .empty, record.level) }
    sink.put("kata_msg", .empty, record.message)
    if !record.source.isEmpty { sink.put("kata_source", .empty, record.source) }
    if !record.name.isEmpty { sink.put("kata_name", .empty, record.name) }
    if record.pid != 0 { sink.put("kata_pid", number: Int64(record.pid)) }
    if !record.container.isEmpty { sink.put("kata_container", .empty, record.container) }
    if !record.sandbox.isEmpty { sink.put("kata_sandbox", .empty, record.sandbox) }
    for index in (journal == nil ? 0 : 1)..<max(record.fields.count, journal == nil ? 0 : 1) {
      let field = record.fields[index]
      sink.put(isPrefixed(field.key, in: record) ? "kata_data." : "kata_", field.key, field.value)
    }
    if let cursor {
      sink.put("kata_cursor", .empty, cursor)
    } else {
      sink.put("kata_file", .empty, place.filename)
      if place.cursor.isEmpty {
        sink.put("kata_cursor", file: place.filename, line: record.line, time: time)
      } else {
        sink.put("kata_cursor", .empty, place.cursor)
      }
    }
  }

  /// Whether a field's key is the name of something that every record has.
  @inline(__always)
  private static func isPrefixed(_ key: ByteSlice, in record: borrowing Record) -> Bool {
    FlatField.isPrefixed(key, in: record) || key.count == 6 && key == "cursor"
  }
}
