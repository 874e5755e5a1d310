import Bytes

/// Lines of a node's own kernel without a syslog prefix: `dmesg -T` and `dmesg -x`, in any language, and those of Talos
/// Linux.
///
/// - `[Thu Mar  5 10:21:37 2026] text`
/// - `kern  :warn  : [Thu Mar  5 10:21:40 2026] text`
/// - `10.5.0.7: kern: warning: [2026-03-05T10:22:36.10466434Z]: text`
enum HostKernelLine {
  static func read(_ line: ByteSlice, clock: LineClock) -> Wrapper? {
    var scanner = TextScanner(line)
    var wrapper = Wrapper()
    if !scanner.take(UInt8(ascii: "[")) {
      guard let close = line.firstIndex(of: UInt8(ascii: "[")), close < 96,
        takeFacility(line.prefix(close), &wrapper)
      else { return nil }
      scanner.skip(close + 1)
    } else {
      wrapper.identifier = kernel
    }
    guard let close = scanner.rest.firstIndex(of: UInt8(ascii: "]")), close < 64,
      takeTime(scanner.rest.prefix(close), &wrapper, clock)
    else { return nil }
    scanner.skip(close + 1)
    _ = scanner.take(UInt8(ascii: ":"))
    guard scanner.isAtEnd || scanner.take(UInt8(ascii: " ")) else { return nil }
    wrapper.payload = scanner.rest
    return wrapper
  }

  /// The name for the facility `kern`, the kernel itself.
  private static var kernel: ByteSlice {
    ByteSlice(padded: "kernel                                                                  ", count: 6)
  }

  private static func takeTime(_ text: ByteSlice, _ wrapper: inout Wrapper, _ clock: LineClock) -> Bool {
    var scanner = TextScanner(text)
    if let time = scanner.zonedTime() {
      wrapper.time = time
      // Without a facility it is a line of env_logger or another program.
      return scanner.isAtEnd && wrapper.level.count > 0
    }
    if KernelLine.isStamp(text) {
      wrapper.monotonic = text.trimmed
      return wrapper.level.count > 0
    }
    guard scanner.word() != nil, scanner.take(UInt8(ascii: " ")) else { return false }
    scanner.skipBlanks()
    guard let month = clock.takeMonth(&scanner), let day = scanner.number(1, 2) else { return false }
    _ = scanner.take("日") || scanner.take("일") || scanner.take(UInt8(ascii: "."))
    guard scanner.take(UInt8(ascii: " ")),
      var found = scanner.timeOfDay(on: CivilDate(year: 0, month: month, day: day)),
      scanner.take(UInt8(ascii: " ")), let year = scanner.number(4, 4), scanner.isAtEnd
    else { return false }
    found.year = year
    guard let time = clock.instant(found) else { return false }
    wrapper.time = time
    return true
  }

  /// `kern  :warn  : `, after an address on Talos.
  private static func takeFacility(_ text: ByteSlice, _ wrapper: inout Wrapper) -> Bool {
    var parts: [ByteSlice] = []
    var end = text.trimmed.count
    let text = text.trimmed
    guard text.hasSuffix(":") else { return false }
    end -= 1
    // From the end, because an address may contain colons.
    while parts.count < 2 {
      let rest = text.prefix(end)
      let colon = rest.lastIndex(of: UInt8(ascii: ":"))
      parts.append(rest.dropFirst(colon.map { $0 + 1 } ?? 0).trimmed)
      guard let colon else { break }
      end = colon
      if parts.count == 2 { wrapper.host = text.prefix(end).trimmed }
    }
    guard parts.count == 2, let level = LevelName.normalized(parts[0]), isFacility(parts[1]) else {
      return false
    }
    wrapper.level = level
    wrapper.identifier = parts[1] == "kern" ? kernel : parts[1]
    return !wrapper.host.contains(UInt8(ascii: " "))
  }

  private static let facilities: [StaticString] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
  ]

  /// The names of syslog's facilities.
  static func isFacility(_ word: ByteSlice) -> Bool {
    facilities.contains { word == $0 } || word.hasPrefix("local") && word.count == 6
  }

  static let detector = Detector(shape: "dmesg", firstBytes: nil) {
    (line, context, record) throws(RecordProblem) in
    // A bare timestamp is that of a guest.
    if line.count < 2 || line[0] == UInt8(ascii: "[") && (line[1] == UInt8(ascii: " ") || line[1].isDigit) {
      return .passed
    }
    guard let wrapper = read(line, clock: context.text.clock) else { return .passed }
    return try context.claim(wrapper, &record)
  }
}
