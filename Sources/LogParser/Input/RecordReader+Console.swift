import Bytes

/// Decides whether an input is a capture of a guest's console, where everything is the guest's, or logs of a host.
extension RecordReader {
  /// Whether the input is a guest's console, judging by what was read: then a line that matches no format is a message
  /// of some program in the guest.
  var isConsole: Bool { consoleCount > hostCount }

  /// Notes whether a line that a detector claimed is from a host or a guest, when it is first read.
  mutating func noteOrigin(_ record: borrowing Record, _ line: ByteSlice, row: Int) {
    if held.isReplaying || table.isOfEitherSide(row) { return }
    if isConsoles(record, line) { consoleCount += 1 } else { hostCount += 1 }
  }

  /// Whether a record occurs only on a console: a kernel line with a timestamp, a systemd status, an agent record
  /// without a prefix of the host. Colours are no evidence.
  private func isConsoles(_ record: borrowing Record, _ line: ByteSlice) -> Bool {
    if record.source == "vmconsole" {
      return record.fields.value(of: "host") == nil
        && (record.fields.value(of: "kernel_time") != nil || SystemdStatus.level(of: record.message) != nil)
    }
    return line.peek(0) == UInt8(ascii: "{") && record.source == "agent"
  }

  /// Looks through the first lines for the year of those that say none.
  func lookAhead(from first: ByteSlice, _ lines: borrowing LineReader) {
    if LogfmtRecord.begins(first) { return }
    context.text.clock.learn(fromLines: first)
    context.text.clock.learn(fromLines: lines.readAhead(Self.lookAheadLimit))
  }

  /// Makes a message of the guest's of a line that no format claims.
  func keepConsoleText(_ record: inout Record) {
    record.source = AgentRecord.consoleSource
    record.level = SystemdStatus.level(of: record.message) ?? .empty
  }
}
