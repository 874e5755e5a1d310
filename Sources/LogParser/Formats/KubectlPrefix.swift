import Bytes

/// The prefixes that `kubectl logs` and Docker Compose add to a container's lines: `--timestamps` a time with nine
/// fractional digits, `--prefix` the pod and its container in brackets, Compose the service's name and a bar.
enum KubectlPrefix {
  /// `2026-03-05T11:21:04.669794202Z text`. No syslog daemon writes nine digits.
  static func readTime(_ line: ByteSlice) -> Wrapper? {
    guard line.count > 30, line[19] == UInt8(ascii: "."), line[29] == UInt8(ascii: "Z"),
      line[30] == UInt8(ascii: " "), let time = Timestamp.parse(rfc3339: line.prefix(30).bytes)
    else { return nil }
    var wrapper = Wrapper(line.dropFirst(31))
    // The tracing library and similar loggers write two blanks or the level here.
    guard let word = firstWord(wrapper.payload), LevelName.normalized(word) == nil else { return nil }
    wrapper.time = time
    return wrapper
  }

  private static func firstWord(_ text: ByteSlice) -> ByteSlice? {
    var scanner = TextScanner(text)
    return scanner.word()
  }

  /// `[pod/NAME/CONTAINER] text`.
  static func readPod(_ line: ByteSlice) -> Wrapper? {
    guard line.hasPrefix("[pod/"), let close = line.firstIndex(of: UInt8(ascii: "]")), close < 400,
      let slash = line.firstIndex(of: UInt8(ascii: "/"), from: 5), slash < close
    else { return nil }
    var wrapper = Wrapper(line.dropFirst(close + 1))
    if wrapper.payload.hasPrefix(" ") { wrapper.payload = wrapper.payload.dropFirst(1) }
    wrapper.pod = line.slice(5, slash)
    wrapper.podContainer = line.slice(slash + 1, close)
    return wrapper
  }

  /// `web-1  | text`.
  static func readService(_ line: ByteSlice) -> Wrapper? {
    guard let first = line.bytes.first, first.isLetter || first.isDigit,
      let bar = line.prefix(80).firstIndex(of: UInt8(ascii: "|")), bar > 3
    else { return nil }
    let name = line.prefix(bar).trimmed
    guard let last = name.bytes.last, last.isDigit, name.count < bar,
      let mark = name.lastIndex(of: UInt8(ascii: "-")) ?? name.lastIndex(of: UInt8(ascii: "_")), mark > 0
    else { return nil }
    for index in (mark + 1)..<name.count where !name[index].isDigit { return nil }
    for byte in name.bytes where byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "=") {
      return nil
    }
    var wrapper = Wrapper(line.dropFirst(bar + 1))
    if wrapper.payload.hasPrefix(" ") { wrapper.payload = wrapper.payload.dropFirst(1) }
    wrapper.identifier = name.prefix(mark)
    return wrapper
  }

  static let detector = Detector(
    shape: "cri", use: .auto(orForced: [.cri]),
    firstBytes: "[0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  ) { (line, context, record) throws(RecordProblem) in
    guard let wrapper = read(line) else { return .passed }
    return try context.claim(wrapper, &record)
  }

  private static func read(_ line: ByteSlice) -> Wrapper? {
    let first = line.peek(0)
    if first == UInt8(ascii: "[") { return readPod(line) }
    if first.isDigit, let wrapper = readTime(line) { return wrapper }
    return readService(line)
  }
}
