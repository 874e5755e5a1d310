import Bytes

/// Loggers that write one record per line without a prefix of the host: those of Rust, Go, and the hypervisors and
/// daemons of a sandbox. Each has its own file.
///
/// The same loggers write to the journal, to containers' logs and to consoles: ``read(_:into:)`` reads the text there,
/// too.
enum LoggerText {
  static let detector = Detector(shape: "loggers", firstBytes: "[0123456789TDIWEFPcdqkr/\u{1b}") {
    (line, context, record) throws(RecordProblem) in
    guard context.rules.readsLoggers, read(line, into: &record) else { return .passed }
    record.fields.sortKeepingLast()
    return .record
  }

  /// Reads `text` into `record` if one of the loggers wrote it; otherwise the record is unchanged. The name is the
  /// logger's own; the carrier may know a better one.
  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    guard let first = text.bytes.first else { return false }
    switch first {
    case UInt8(ascii: "["):
      // A kernel timestamp, which is frequent.
      if text.peek(1) == UInt8(ascii: " ") { return false }
      return EnvLoggerLine.read(text, into: &record) || FuseDaemonLine.read(text, into: &record)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return readDated(text, into: &record)
    case UInt8(ascii: "c"):
      return CloudHypervisorLine.read(text, into: &record) || CommandError.read(text, into: &record)
    case UInt8(ascii: "d"), UInt8(ascii: "r"): return CommandError.read(text, into: &record)
    case UInt8(ascii: "q"), UInt8(ascii: "k"), UInt8(ascii: "/"):
      return QEMULine.read(text, time: nil, into: &record) || CommandError.read(text, into: &record)
    case 0x1b:
      let plain = ConsoleText.display(text, &record.arena)
      return plain.bytes.first != nil && plain.bytes.first != 0x1b && read(plain, into: &record)
    default: return LogrusTerminalLine.read(text, into: &record)
    }
  }

  /// Reads a line that begins with a time and whose further form identifies the logger.
  private static func readDated(_ text: ByteSlice, into record: inout Record) -> Bool {
    if text.peek(4) == UInt8(ascii: "/") { return GoLogLine.read(text, into: &record) }
    guard text.peek(4) == UInt8(ascii: "-") else { return false }
    var scanner = TextScanner(text)
    guard let time = scanner.anyTime() else { return false }
    guard scanner.take(UInt8(ascii: " ")) else { return false }
    scanner.skipBlanks()
    switch scanner.next {
    case UInt8(ascii: "["):
      return CalicoLine.read(scanner.rest, time: time, into: &record)
        || FirecrackerLine.read(scanner.rest, time: time, into: &record)
    case UInt8(ascii: "q"), UInt8(ascii: "k"), UInt8(ascii: "/"):
      return QEMULine.read(scanner.rest, time: time, into: &record)
    default: return TracingLine.read(scanner.rest, time: time, into: &record)
    }
  }
}
