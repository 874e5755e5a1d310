import Bytes

/// A line of Linux's audit subsystem, as auditd writes it (`type=AVC msg=audit(1364481363.243:24287): …`, with
/// `node=host` before it if several machines report to one) and as the kernel does if no auditd listens
/// (`audit: type=1400 audit(1364481363.243:24287): …`).
/// https://github.com/linux-audit/audit-documentation/wiki/SPEC-Audit-Event-Enrichment
enum AuditLine {
  static let detector = Detector(
    shape: "audit", use: .auto(orForced: [.audit]), firstBytes: "tna"
  ) { (line, _, record) throws(RecordProblem) in
    read(line, into: &record) ? .record : .passed
  }

  /// Reads the line if it is an audit line; otherwise the record is unchanged.
  static func read(_ line: ByteSlice, into record: inout Record) -> Bool {
    guard let first = line.bytes.first, first == 0x74 || first == 0x6e || first == 0x61,
      let event = Event(line)
    else { return false }
    event.fill(&record)
    return true
  }

  /// The part before the colon, and the text after it.
  private struct Event {
    var node = ByteSlice.empty
    let type: ByteSlice
    let time: Timestamp
    let serial: ByteSlice
    let text: ByteSlice

    init?(_ line: ByteSlice) {
      var scanner = TextScanner(line)
      if scanner.take("node=") {
        guard let node = scanner.word(), scanner.take(UInt8(ascii: " ")) else { return nil }
        self.node = node
      }
      let isKernels = node.isEmpty && scanner.take("audit: ")
      guard scanner.take("type="), let type = scanner.word(), scanner.take(UInt8(ascii: " ")),
        scanner.take(isKernels ? "audit(" : "msg=audit("), let stamp = scanner.word(), stamp.hasSuffix("):"),
        let colon = stamp.firstIndex(of: UInt8(ascii: ":")), colon < stamp.count - 3,
        let time = Timestamp.parse(epoch: stamp.prefix(colon))
      else { return nil }
      self.type = type
      self.time = time
      serial = stamp.slice(colon + 1, stamp.count - 2)
      text = scanner.rest.trimmed
    }

    func fill(_ record: inout Record) {
      record.time = time
      record.level = AuditLine.level(ofType: type)
      record.name = record.arena.copy("audit" as StaticString)
      record.source = type
      // auditd separates the names that it adds for numbers from the kernel's text with this byte.
      let added = text.firstIndex(of: AuditLine.separator) ?? text.count
      record.message = text.prefix(added).trimmed
      record.setField("serial", serial)
      if !node.isEmpty { record.setField("host", node) }
      AuditLine.addPairs(of: text, to: &record)
      record.fields.sortKeepingLast()
    }
  }

  private static let separator: UInt8 = 0x1d

  /// Adds each `key=value` among the words, without the value's quotes. Text in `'…'` holds a program's own pairs,
  /// which contain no such quotes and are added one by one.
  private static func addPairs(of text: ByteSlice, to record: inout Record) {
    var start = 0
    while let equals = text.firstIndex(of: UInt8(ascii: "="), from: start) {
      var begin = equals
      while begin > start, text[begin - 1] > UInt8(ascii: " ") { begin -= 1 }
      let value = value(in: text, from: equals + 1)
      let key = text.slice(begin, equals)
      if equals + 1 < text.count, text[equals + 1] == UInt8(ascii: "'"),
        value.text.contains(UInt8(ascii: "="))
      {
        addPairs(of: value.text, to: &record)
      } else if !key.isEmpty, KnownKey(key) != .pid || !record.set(.pid, value.text, leastPid: 0) {
        record.setField(key, value.text)
      }
      start = value.end
    }
  }

  private static func value(in text: ByteSlice, from start: Int) -> (text: ByteSlice, end: Int) {
    if start < text.count, text[start] == UInt8(ascii: "\"") || text[start] == UInt8(ascii: "'"),
      let close = text.firstIndex(of: text[start], from: start + 1)
    {
      return (text.slice(start + 1, close), close + 1)
    }
    var end = start
    while end < text.count, text[end] > UInt8(ascii: " ") { end += 1 }
    return (text.slice(start, end), end)
  }

  /// Denied, anomalous and damaged events are warnings; failures of the audit system itself are errors. The kernel
  /// writes types as numbers, auditd as names. The numbers are from `linux/audit.h` and audit's `audit-records.h`.
  static func level(ofType type: ByteSlice) -> ByteSlice {
    if let number = DecimalNumber.parse(type) {
      switch number {
      case 1107, 1326, 1400, 1700...1899, 2100...2199: return LevelName.warning
      case 1202, 1401: return LevelName.error
      default: return LevelName.info
      }
    }
    if type.hasSuffix("_ERR") || type == "DAEMON_ABORT" { return LevelName.error }
    if type == "AVC" || type == "USER_AVC" || type == "SECCOMP" || type.hasPrefix("ANOM_")
      || type.hasPrefix("INTEGRITY_")
    {
      return LevelName.warning
    }
    return LevelName.info
  }
}
