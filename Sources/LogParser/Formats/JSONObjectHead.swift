import Bytes

/// The first line of a JSON object that spans several lines.
enum JSONObjectHead {
  /// A line on which an object begins but does not end.
  static let detector = Detector(shape: "json", firstBytes: "{") { (line, context, _) throws(RecordProblem) in
    guard context.rules.isLenient, isHead(line) else { return .passed }
    return .object
  }

  private static func isHead(_ line: ByteSlice) -> Bool {
    var scanner = TextScanner(line)
    guard scanner.take(UInt8(ascii: "{")) else { return false }
    scanner.skipBlanks()
    return (scanner.isAtEnd || scanner.next == UInt8(ascii: "\"")) && isOpen(line)
  }

  /// Whether an object or a string is open at the end of the line.
  private static func isOpen(_ line: ByteSlice) -> Bool {
    var depth = 0
    var index = 0
    while index < line.count {
      switch line[index] {
      case 0x22:
        index = line.closingQuote(from: index + 1)
        if index >= line.count { return true }
      case 0x7b, 0x5b: depth += 1
      case 0x7d, 0x5d:
        depth -= 1
        if depth == 0 { return false }
      default: break
      }
      index += 1
    }
    return depth > 0
  }
}
