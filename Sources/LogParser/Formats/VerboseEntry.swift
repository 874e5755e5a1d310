import Bytes

/// The lines of an entry of `journalctl -o verbose`: a head with the time and the entry's address, then a field a line,
/// indented, whose further lines are indented more.
struct VerboseEntry {
  private static let indentation = 4

  private var name: [UInt8] = []
  private var value: [UInt8] = []

  /// `Thu 2026-03-05 10:04:00.000007 UTC [s=…;i=…;b=…;m=…;t=…;x=…]`.
  static func time(ofHead line: ByteSlice, _ clock: LineClock) -> Timestamp? {
    guard line.hasSuffix("]"), line.range(of: " [s=") != nil else { return nil }
    var scanner = TextScanner(line)
    guard let time = SyslogTime.fullTime(&scanner, clock), scanner.take(" [s=") else { return nil }
    return time
  }

  /// Whether a line goes on with the entry.
  static func belongs(_ line: ByteSlice) -> Bool { line.hasPrefix("    ") }

  /// Adds a line: it begins a field, or goes on with the one before.
  mutating func add(_ line: ByteSlice, to fields: inout MemberList, _ arena: inout Arena) {
    let text = line.dropFirst(Self.indentation)
    if let equals = text.firstIndex(of: UInt8(ascii: "=")), Self.isName(text.prefix(equals)) {
      finish(&fields, &arena)
      name = Array(text.prefix(equals).bytes)
      value = Array(text.dropFirst(equals + 1).bytes)
      return
    }
    // The further lines stand below the first one's value.
    var start = 0
    while start < min(text.count, name.count + 1), text[start] == UInt8(ascii: " ") { start += 1 }
    value.append(UInt8(ascii: "\n"))
    value.append(contentsOf: text.dropFirst(start).bytes)
  }

  /// Ends the last field.
  mutating func finish(_ fields: inout MemberList, _ arena: inout Arena) {
    guard !name.isEmpty else { return }
    let key = arena.copy(name)
    fields.append(key, arena.copy(value))
    name = []
    value = []
  }

  private static func isName(_ text: ByteSlice) -> Bool {
    guard !text.isEmpty, text.count <= 64 else { return false }
    for byte in text.bytes where !byte.isUpper && !byte.isDigit && byte != UInt8(ascii: "_") {
      return false
    }
    return true
  }

  static let detector = Detector(
    shape: "journalctl", use: .auto(orForced: [.journalctl]), firstBytes: nil
  ) { (line, context, _) throws(RecordProblem) in
    // Cheap before dear: nearly every line ends in something else.
    guard line.hasSuffix("]"), time(ofHead: line, context.text.clock) != nil else { return .passed }
    return .entry
  }
}
