import Bytes

/// The first line of an entry of the journal's export format.
enum ExportHead {
  /// Whether a line is the first of an entry, which begins with journald's own address fields.
  static func begins(_ line: ByteSlice, isForced: Bool) -> Bool {
    if isForced { return !line.isEmpty }
    return line.hasPrefix("__CURSOR=") || line.hasPrefix("__REALTIME_TIMESTAMP=")
      || line.hasPrefix("__MONOTONIC_TIMESTAMP=")
  }

  /// An entry begins with journald's own address fields, whose names begin with underscores.
  static let detector = Detector(
    shape: "journal", use: .auto(orForced: [.export]), firstBytes: "_", takesAnyLineIfForced: true
  ) { (line, context, _) throws(RecordProblem) in
    begins(line, isForced: context.isForced) ? .entry : .passed
  }
}
