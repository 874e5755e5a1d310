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
        scanner.take(isKernels ? "audit(" : "msg=audit("),
        let close = scanner.rest.firstIndex(of: UInt8(ascii: ")")), close < 48,
        case let stamp = scanner.rest.prefix(close),
        let colon = stamp.lastIndex(of: UInt8(ascii: ":")), colon < close - 1,
        let time = Timestamp.parse(epoch: stamp.prefix(colon)) ?? AuditLine.interpreted(stamp.prefix(colon))
      else { return nil }
      self.type = type
      self.time = time
      serial = stamp.dropFirst(colon + 1)
      scanner.skip(close + 1)
      // `ausearch --interpret` sets the colon off.
      _ = scanner.take(UInt8(ascii: " "))
      guard scanner.take(UInt8(ascii: ":")) else { return nil }
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

  /// `03/05/2026 10:41:11.991`, as `ausearch --interpret` writes it where the language is English or none: a time of this
  /// machine's.
  private static func interpreted(_ text: ByteSlice) -> Timestamp? {
    var scanner = TextScanner(text)
    guard let month = scanner.number(2, 2), scanner.take(UInt8(ascii: "/")), let day = scanner.number(2, 2),
      scanner.take(UInt8(ascii: "/")), let year = scanner.number(2, 4), scanner.take(UInt8(ascii: " ")),
      let clock = scanner.timeOfDay(
        on: CivilDate(year: year < 100 ? 2000 + year : year, month: month, day: day)),
      scanner.isAtEnd, clock.isPossible
    else { return nil }
    return LocalTime.instant(clock)
  }

  /// Reads what journald keeps of an event, whose tag says that it is audit's: `AVC avc:  denied …`.
  static func readTagged(_ text: ByteSlice, into record: inout Record) -> Bool {
    var scanner = TextScanner(text)
    guard let type = scanner.word(), type.count >= 3,
      type.bytes.allSatisfy({ $0.isUpper || $0.isDigit || $0 == 0x5f }),
      scanner.take(UInt8(ascii: " "))
    else { return false }
    record.level = level(ofType: type)
    record.source = type
    record.message = scanner.rest.trimmed
    addPairs(of: scanner.rest, to: &record)
    record.fields.sortKeepingLast()
    return true
  }

  /// Adds each `key=value` among the words, with the value's quotes taken off. What stands in `'…'` is a program's own
  /// pairs, which have no such quotes in them and are added one by one.
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
      } else if key.peek(0).isWordByte, KnownKey(key) != .pid || !record.set(.pid, value.text, leastPid: 0) {
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
