import Bytes

/// The ordered rows that detect the format of a line, and which of them a line's first byte allows.
///
/// Logfmt is not among them: a line that begins like the runtime's own is read before any row is tried, see
/// ``LogfmtRecord/begins(_:)``.
struct DetectorTable: Sendable {
  /// In the order in which they are tried: those with the most specific first bytes come first.
  static let rows: [Detector] = [
    JournalObject.detector, DockerObject.detector, KubernetesEvent.detector, JSONRecord.detector,
    AgentHead.detector, JSONObjectHead.detector, ExportHead.detector, CRIPrefix.detector, LoggerText.detector,
    KubectlPrefix.detector, SlogTermLine.detector, VerboseEntry.detector, SyslogPrefix.detector,
    JournalctlMarker.detector, KlogPrefix.detector, AuditLine.detector, DatedLine.detector,
    HostKernelLine.detector, KubernetesEventRow.detector, ConsoleLine.detector, MixedLogfmt.detector,
    ProcessTag.detector,
  ]

  /// The formats that are also read inside a wrapper: those of programs, not of wrappers.
  static let payloads: [Detector] = [AuditLine.detector, SlogTermLine.detector]

  private let rows: [Detector]
  /// For each first byte, the rows whose lines can begin with it, one bit each.
  private let masks: [UInt32]

  /// The rows whose records may continue on indented lines.
  private let indented: UInt32
  /// The rows of programs that run both on hosts and in guests.
  private let eitherSide: UInt32

  /// - Parameter format: the user's choice; `auto` detects the format of each line.
  init(_ format: InputFormat, rows: [Detector] = Self.rows) {
    precondition(rows.count <= 32, "a mask has a bit for each row")
    self.rows = rows
    var masks = [UInt32](repeating: 0, count: 256)
    for (index, row) in rows.enumerated() where row.isUsed(for: format) {
      let isAny = format != .auto && row.takesAnyLineIfForced
      if let firstBytes = row.firstBytes, !isAny {
        for byte in firstBytes { masks[Int(byte)] |= 1 << UInt32(index) }
      } else {
        for byte in masks.indices { masks[byte] |= 1 << UInt32(index) }
      }
    }
    self.masks = masks
    indented = Self.mask(rows, of: ["loggers", "dated", "klog", "syslog"])
    eitherSide = Self.mask(rows, of: ["loggers", "dated"])
  }

  /// Whether a line that begins with `byte` is a candidate for any row.
  func mayHave(_ byte: UInt8) -> Bool { masks[Int(byte)] != 0 }
  private static func mask(_ rows: [Detector], of shapes: Set<String>) -> UInt32 {
    var mask: UInt32 = 0
    for (index, row) in rows.enumerated() where shapes.contains(row.shape) { mask |= 1 << UInt32(index) }
    return mask
  }

  /// Whether a row's lines can come from a host or from a guest.
  func isOfEitherSide(_ row: Int) -> Bool { eitherSide >> UInt32(row) & 1 == 1 }

  /// Whether a record that a row has read may continue on indented lines.
  func takesIndented(_ row: Int) -> Bool { indented >> UInt32(row) & 1 == 1 }

  /// Tries the rows in order; `index` becomes that of the row that read the line.
  func read(
    _ line: ByteSlice, _ context: inout LineContext, into record: inout Record, by index: inout Int
  ) throws(RecordProblem) -> Claim {
    guard let first = line.bytes.first else { return .passed }
    context.object.forget()
    var mask = masks[Int(first)]
    while mask != 0 {
      index = mask.trailingZeroBitCount
      mask &= mask - 1
      let claim = try rows[index].read(line, &context, &record)
      if case .passed = claim { continue }
      return claim
    }
    return .passed
  }
}

extension Detector {
  /// Whether the row is used if the user chose `format`.
  fileprivate func isUsed(for format: InputFormat) -> Bool {
    switch use {
    case .always: true
    case .auto(let formats): format == .auto || formats.contains(format)
    }
  }
}
