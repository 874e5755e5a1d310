import Bytes

/// The tag that names the program that logged a line: `tag[pid]: ` or `tag: `.
enum ProcessTag {
  /// Takes the tag into the wrapper.
  ///
  /// - Parameter needsPid: whether a tag must have a process id.
  static func take(_ scanner: inout TextScanner, _ wrapper: inout Wrapper, needsPid: Bool = false) -> Bool {
    let rest = scanner.rest
    guard let end = nameEnd(rest), end > 0, end < rest.count else { return false }
    var attempt = TextScanner(rest.dropFirst(end))
    var pid = 0
    if attempt.take(UInt8(ascii: "[")) {
      guard let number = attempt.number(1, 10), attempt.take(UInt8(ascii: "]")) else { return false }
      pid = number
    } else if needsPid {
      return false
    }
    guard attempt.take(UInt8(ascii: ":")) else { return false }
    _ = attempt.take(UInt8(ascii: " "))
    name(rest.prefix(end), &wrapper)
    wrapper.pid = pid
    scanner.skip(end + attempt.index)
    return true
  }

  /// Where the name ends. A name in parentheses, as systemd's helpers have, may contain blanks.
  private static func nameEnd(_ text: ByteSlice) -> Int? {
    var end = 0
    if text.hasPrefix("(") {
      guard let close = text.firstIndex(of: UInt8(ascii: ")")), close < 64 else { return nil }
      end = close + 1
    }
    while end < min(text.count, 256), text[end] > 0x20, text[end] != 0x5b, text[end] != 0x3a { end += 1 }
    return end
  }

  /// `journalctl -o with-unit` writes `unit/identifier`, or the unit alone.
  private static func name(_ text: ByteSlice, _ wrapper: inout Wrapper) {
    wrapper.identifier = text
    let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.count
    let unit = text.prefix(slash)
    guard let dot = unit.lastIndex(of: UInt8(ascii: ".")), dot > 0, isUnitType(unit.dropFirst(dot + 1)) else {
      return
    }
    wrapper.unit = unit
    wrapper.identifier = slash < text.count ? text.dropFirst(slash + 1) : unit.prefix(dot)
  }

  private static func isUnitType(_ type: ByteSlice) -> Bool {
    type == "service" || type == "scope" || type == "slice" || type == "socket" || type == "mount"
      || type == "timer" || type == "target"
  }

  /// A line that begins with `program[pid]: ` and has no time: pasted from the journal, or printed by a supervisor.
  static func readBare(_ line: ByteSlice) -> Wrapper? {
    guard let first = line.bytes.first, first.isLetter || first == UInt8(ascii: "("),
      line.prefix(65).contains(UInt8(ascii: "["))
    else { return nil }
    var scanner = TextScanner(line)
    var wrapper = Wrapper()
    guard take(&scanner, &wrapper, needsPid: true) else { return nil }
    wrapper.payload = scanner.rest
    return wrapper
  }

  static let detector = Detector(
    shape: "syslog", use: .auto(orForced: [.syslog, .journalctl]),
    firstBytes: "(ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  ) { (line, context, record) throws(RecordProblem) in
    guard let wrapper = readBare(line) else { return .passed }
    return try context.claim(wrapper, &record)
  }
}
