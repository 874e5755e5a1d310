import Bytes
import Synchronization

/// One log record: known fields as properties, all others in ``fields``.
///
/// The slices borrow from the input's buffer and from the record's own arena, so a record is reused from line to line
/// and read before the next one is parsed into it.
package struct Record: ~Copyable {
  package var time = Timestamp.unset
  package var level = ByteSlice.empty
  package var message = ByteSlice.empty
  package var source = ByteSlice.empty
  package var name = ByteSlice.empty
  package var container = ByteSlice.empty
  package var sandbox = ByteSlice.empty
  /// The process id, or 0 when the record has none.
  package var pid = 0
  /// The extra fields.
  package var fields = FieldList()
  /// The line of its input on which the record begins, from 1; the ordinal of the record if the input has no lines.
  package var line: UInt64 = 0
  /// Which input the record came from: an index into the run's list of inputs.
  package var input = 0
  /// Facts about loss, damage and inferred values.
  package var marks = RecordMarks()
  package var arena = Arena()
  var scratch = ParserScratch()
  /// Nothing of the record: a type that holds one of these has a place in memory, and is handed on by its address. Without
  /// it all of the record's bytes would be copied for each call that borrows it.
  private let anchor = Atomic(false)

  package init() {}

  /// The total size of all texts in bytes, from which a formatter computes the bound of its output.
  @inline(__always)
  package var textLength: Int {
    var length = level.count + message.count + source.count + name.count + container.count + sandbox.count
    for index in 0..<fields.count { length += fields[index].key.count + fields[index].value.count }
    return length
  }

  /// Writes the time as `Timestamp.write(rfc3339:)` does.
  @inline(__always)
  func writeTime(rfc3339 out: UnsafeMutablePointer<UInt8>) -> Int {
    guard let count = scratch.lastMinute.write(time, separator: 0x54, to: out) else {
      return time.write(rfc3339: out)
    }
    out[count] = 0x5a
    return count + 1
  }

  /// Writes the time as `Timestamp.write(rfc3339:)` does, but always with nine fractional digits, which the reading
  /// rules of logfmt require.
  @inline(__always)
  func writeTime(rfc3339Full out: UnsafeMutablePointer<UInt8>) -> Int {
    guard let count = scratch.lastMinute.write(time, separator: 0x54, trimmed: false, to: out) else {
      return time.write(rfc3339: out, trimmed: false)
    }
    out[count] = 0x5a
    return count + 1
  }

  /// Writes the time as `Timestamp.write(text:)` does.
  @inline(__always)
  func writeTime(text out: UnsafeMutablePointer<UInt8>) -> Int {
    guard let count = scratch.lastMinute.write(time, separator: 0x20, to: out) else {
      return time.write(text: out)
    }
    UnsafeMutableRawPointer(out + count).storeBytes(
      of: UInt64(littleEndian: 0x5520_3030_3030_2b20), as: UInt64.self)
    out[count + 8] = 0x54
    out[count + 9] = 0x43
    return count + 10
  }

  /// Empties the record for the next one.
  @inline(__always)
  package mutating func reset() {
    clearFields()
    marks = []
    arena.reset()
  }

  /// Empties all fields but keeps the arena's bytes: the record is about to be replaced by one that it contained.
  @inline(__always)
  package mutating func clearFields() {
    time = .unset
    let empty = ByteSlice.empty
    level = empty
    message = empty
    source = empty
    name = empty
    container = empty
    sandbox = empty
    pid = 0
    fields.removeAll()
  }
}
