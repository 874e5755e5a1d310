import Bytes
import CommandLine

/// What the output says about a record in addition to its own fields.
package struct RecordPlace {
  /// The displayed name of the input.
  package var filename: ByteSlice
  /// The record's number in the output, from 1.
  package var count: UInt64
  /// Nanoseconds since the record before; 0 for the first.
  package var delta: Int64

  package init(filename: ByteSlice, count: UInt64, delta: Int64) {
    self.filename = filename
    self.count = count
    self.delta = delta
  }
}

/// Writes records in one format. A formatter is made for one output, and keeps any state that the format needs.
///
/// `format` must write the same bytes for a record whatever came before it, except for the contents of ``RecordPlace``:
/// large inputs are formatted in pieces, in parallel.
package protocol RecordFormatter: Sendable {
  /// Writes the part before the first record.
  func begin(_ out: inout OutputBuffer)
  /// Writes one record.
  func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer)
  /// Writes the part after the last of `count` records.
  func end(_ out: inout OutputBuffer, count: UInt64)
}

/// Writes nothing, for a run that only checks its input.
package struct NullFormatter: RecordFormatter {
  package init() {}
  package func begin(_ out: inout OutputBuffer) {}
  @inline(__always)
  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {}
  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

/// Facts about the format of the six classic outputs.
package enum ClassicFormat {
  /// The version of the record's layout that these outputs declare.
  package static let version: StaticString = "0.0.2"

  /// The fields of a record in order, as headers name them.
  package static let fieldNames: StaticString =
    "Data,Time,Filename,Level,Msg,Source,Name,Container,Sandbox,Line,Count,TimeDelta,Pid"

  /// The comment at the head of the text, TOML and YAML outputs.
  package static func appendHeader(to out: inout OutputBuffer) {
    out.append("\n#----------------------------------------\n")
    out.append("# Name:           kata-log-parser\n")
    out.append(string: "# Version:        \(ProductVersion.number)\n")
    out.append(string: "# Commit:         \(ProductVersion.commit)\n")
    out.append("# Fields:         ")
    out.append(fieldNames)
    out.append("\n# Format Version: ")
    out.append(version)
    out.append("\n#----------------------------------------\n\n")
  }
}
