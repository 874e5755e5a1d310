import Bytes

/// Recognises the prefixes that syslog daemons and `journalctl` write before a message.
///
/// - RFC 3164: `<34>Oct 11 22:14:15 host tag[pid]: text`, in files without the `<34>`, in /dev/log without the host;
///   `journalctl -o short` and `-o short-precise` are the same. The month may be in any language.
/// - RFC 5424: `<165>1 2003-10-11T22:14:15.003Z host app procid msgid [data] text`.
/// - `-o short-iso`, `-o short-iso-precise` and rsyslog's file format: `2026-01-01T10:00:00+0100 host tag[pid]: text`.
/// - `-o short-unix`: `1767261600.123456 host tag[pid]: text`.
/// - `-o short-full`: `Thu 2026-01-01 10:00:00 UTC host tag[pid]: text`; `-o with-unit` has `unit/tag` in it.
/// - `-o short-monotonic`: `[ 1234.567890] host tag[pid]: text`.
enum SyslogPrefix {
  /// - Parameter clock: completes a time without a year or zone.
  static func read(_ line: ByteSlice, clock: LineClock) -> Wrapper? {
    if line.peek(0) == UInt8(ascii: "[") { return monotonic(line) }
    var scanner = TextScanner(line)
    if scanner.take(UInt8(ascii: "<")) {
      var wrapper = Wrapper()
      guard let priority = scanner.number(1, 3), priority <= 191, scanner.take(UInt8(ascii: ">")) else {
        return nil
      }
      wrapper.level = Wrapper.level(ofSeverity: priority & 7)
      if scanner.take("1 ") { return structured(&scanner, wrapper) }
      // By RFC 3164, a relay accepts a message without a header as it is.
      guard let found = SyslogTime.take(&scanner, clock) else {
        _ = ProcessTag.take(&scanner, &wrapper, needsPid: true)
        wrapper.payload = scanner.rest
        return wrapper
      }
      wrapper.time = found.time
      return rest(&scanner, wrapper, found.form)
    }
    guard let found = SyslogTime.take(&scanner, clock) else { return nil }
    var wrapper = Wrapper()
    wrapper.time = found.time
    return rest(&scanner, wrapper, found.form)
  }

  /// The part after the time: an optional host, and the tag.
  private static func rest(
    _ scanner: inout TextScanner, _ start: Wrapper, _ form: SyslogTime.Form
  ) -> Wrapper? {
    var wrapper = start
    let hasPriority = !wrapper.level.isEmpty
    guard scanner.take(UInt8(ascii: " ")) else { return nil }
    scanner.skipBlanks()
    var attempt = scanner
    // A name that ends in a colon is not a host. After a time of one word, only the process id shows that it is not a
    // message of a program that writes its own name.
    let mayLackPid = form == .month || hasPriority
    if ProcessTag.take(&attempt, &wrapper, needsPid: !mayLackPid) {
      wrapper.payload = attempt.rest
      return wrapper
    }
    guard let host = scanner.word(), scanner.take(UInt8(ascii: " ")),
      host[0].isWordByte, host[host.count - 1] != UInt8(ascii: ":"),
      form == .month || LevelName.normalized(host) == nil
    else { return nil }
    if let level = facilityLevel(host) {
      // `logread` names no host.
      wrapper.level = level
      _ = ProcessTag.take(&scanner, &wrapper)
      wrapper.payload = scanner.rest
      return wrapper
    }
    wrapper.host = host
    let hasTag = ProcessTag.take(&scanner, &wrapper) || takeFacility(&scanner, &wrapper)
    if hasTag, wrapper.identifier.isEmpty { _ = ProcessTag.take(&scanner, &wrapper) }
    // Without a tag only a priority shows that the line is a message at all, or the daemon's own words.
    guard hasTag || hasPriority || isRepetition(scanner.rest) else { return nil }
    wrapper.payload = scanner.rest
    return wrapper
  }

  /// Takes `kern.info `, which BusyBox's syslogd writes before the tag, for the level.
  private static func takeFacility(_ scanner: inout TextScanner, _ wrapper: inout Wrapper) -> Bool {
    var attempt = scanner
    guard let word = attempt.word(), let level = facilityLevel(word), attempt.take(UInt8(ascii: " ")) else {
      return false
    }
    wrapper.level = level
    scanner = attempt
    return true
  }

  /// The level that a facility and a severity, parted by a full stop, stand for. Names of hosts have full stops, too.
  private static func facilityLevel(_ word: ByteSlice) -> ByteSlice? {
    guard word.count <= 16, let dot = word.firstIndex(of: UInt8(ascii: ".")), dot >= 3, dot <= 8,
      let level = LevelName.normalized(word.dropFirst(dot + 1)), HostKernelLine.isFacility(word.prefix(dot))
    else { return nil }
    return level
  }

  private static func isRepetition(_ text: ByteSlice) -> Bool {
    text.hasPrefix("last message repeated ") || text.hasPrefix("message repeated ")
  }

  /// Kernel lines have the same timestamp; only a host and a process after it show the difference.
  private static func monotonic(_ line: ByteSlice) -> Wrapper? {
    guard let length = KernelLine.stampLength(line) else { return nil }
    var scanner = TextScanner(line.dropFirst(length))
    guard scanner.take(UInt8(ascii: " ")), let host = scanner.word(), scanner.take(UInt8(ascii: " ")),
      !host.contains(UInt8(ascii: ":"), or: UInt8(ascii: "[")), !host.contains(UInt8(ascii: "="))
    else { return nil }
    var wrapper = Wrapper()
    wrapper.host = host
    wrapper.monotonic = line.slice(1, length - 1).trimmed
    // The kernel has no process, and no line of its own says `kernel:`.
    guard ProcessTag.take(&scanner, &wrapper, needsPid: !scanner.rest.hasPrefix("kernel: ")) else {
      return nil
    }
    wrapper.payload = scanner.rest
    return wrapper
  }

  /// The part after `<pri>1 ` in RFC 5424; `-` means nil.
  private static func structured(_ scanner: inout TextScanner, _ start: Wrapper) -> Wrapper? {
    var wrapper = start
    guard let stamp = scanner.word(), scanner.take(0x20), let host = scanner.word(), scanner.take(0x20),
      let program = scanner.word(), scanner.take(0x20), let process = scanner.word(), scanner.take(0x20),
      scanner.word() != nil, scanner.take(0x20)
    else { return nil }
    if stamp != "-" {
      guard let time = Timestamp.parse(rfc3339: stamp.bytes) else { return nil }
      wrapper.time = time
    }
    if host != "-" { wrapper.host = host }
    if program != "-" { wrapper.identifier = program }
    wrapper.pid = max(0, DecimalNumber.parse(process) ?? 0)
    guard skipStructuredData(&scanner) else { return nil }
    _ = scanner.take(0x20)
    _ = scanner.take("\u{feff}")
    wrapper.payload = scanner.rest
    return wrapper
  }

  /// `-`, or elements `[id name="value" …]`; in values, `\` escapes `"`, `\` and `]`.
  private static func skipStructuredData(_ scanner: inout TextScanner) -> Bool {
    if scanner.take(0x2d) { return true }
    guard scanner.next == 0x5b else { return false }
    while scanner.take(0x5b) {
      var isQuoted = false
      while let byte = scanner.next, isQuoted || byte != 0x5d {
        _ = scanner.take(byte)
        if byte == 0x22 { isQuoted.toggle() }
        if byte == 0x5c, isQuoted, let escaped = scanner.next { _ = scanner.take(escaped) }
      }
      guard scanner.take(0x5d) else { return false }
    }
    return true
  }
}

extension SyslogPrefix {
  /// journalctl's text has the same prefixes.
  static let detector = Detector(
    // A priority, a time that begins with a digit, a month or a weekday, which may be a word of any language.
    shape: "syslog", use: .auto(orForced: [.syslog, .journalctl]), firstBytes: nil
  ) { (line, context, record) throws(RecordProblem) in
    if let wrapper = read(line, clock: context.text.clock) { return try context.claim(wrapper, &record) }
    guard context.rules.isLenient, let wrapper = readUntagged(line, context.text.clock) else {
      return .passed
    }
    return try context.claim(wrapper, &record)
  }

  /// A message without a tag, and so perhaps without a host: all of it is text. After a time that other loggers also
  /// write, the line is left to them.
  private static func readUntagged(_ line: ByteSlice, _ clock: LineClock) -> Wrapper? {
    var scanner = TextScanner(line)
    guard let time = SyslogTime.monthTime(&scanner, clock), scanner.take(UInt8(ascii: " ")) else {
      return nil
    }
    var wrapper = Wrapper(scanner.rest)
    wrapper.time = time
    return wrapper
  }
}
