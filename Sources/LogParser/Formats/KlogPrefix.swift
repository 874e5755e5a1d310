import Bytes

/// Kubernetes' own log lines, `I0305 05:01:54.123456    1234 file.go:123] text`: level, month and day, time, process,
/// place. https://github.com/kubernetes/klog
enum KlogPrefix {
  /// Whether the line begins with a level and a date as in klog; the rest is checked once, when it is read.
  static func begins(_ line: ByteSlice) -> Bool {
    guard line.count > 22, line[5] == UInt8(ascii: " "), line[8] == UInt8(ascii: ":"),
      line[11] == UInt8(ascii: ":"), line.range(of: "] ") != nil || line.hasSuffix("]")
    else { return false }
    for index in 1..<5 where !line[index].isDigit { return false }
    return true
  }

  static func read(_ line: ByteSlice, clock lines: LineClock) -> (wrapper: Wrapper, place: ByteSlice)? {
    var scanner = TextScanner(line)
    var wrapper = Wrapper()
    switch scanner.next {
    case 0x49: wrapper.level = Wrapper.level(ofSeverity: 6)
    case 0x57: wrapper.level = Wrapper.level(ofSeverity: 4)
    case 0x45: wrapper.level = Wrapper.level(ofSeverity: 3)
    case 0x46: wrapper.level = Wrapper.level(ofSeverity: 2)
    default: return nil
    }
    guard let letter = scanner.next, scanner.take(letter), let date = scanner.number(4, 4),
      scanner.take(0x20),
      let hour = scanner.number(2, 2), scanner.take(0x3a), let minute = scanner.number(2, 2),
      scanner.take(0x3a), let second = scanner.number(2, 2)
    else { return nil }
    let clock = LocalTime.Clock(
      year: 0, month: date / 100, day: date % 100, hour: hour, minute: minute, second: second,
      nanoseconds: scanner.fraction())
    scanner.skipBlanks()
    guard let pid = scanner.number(1, 10), scanner.take(0x20), let place = scanner.word(),
      place.hasSuffix("]"), place.contains(0x3a),
      let time = lines.instantWithoutYear(clock)
    else { return nil }
    wrapper.time = time
    wrapper.pid = pid
    _ = scanner.take(0x20)
    wrapper.payload = scanner.rest
    return (wrapper, place.prefix(place.count - 1))
  }
}

extension KlogPrefix {
  static let detector = Detector(shape: "klog", firstBytes: "IWEF") {
    (line, context, record) throws(RecordProblem) in
    guard begins(line) else { return .passed }
    return try context.claim(Wrapper(line), &record)
  }
}
