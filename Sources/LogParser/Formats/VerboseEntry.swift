import Bytes

/// The lines of an entry of `journalctl -o verbose`: a header with the time and the entry's address, then one field per
/// line, indented; further lines of a field are indented more.
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

  /// Whether a line continues the entry.
  static func belongs(_ line: ByteSlice) -> Bool { line.hasPrefix("    ") }

  /// Adds a line, which begins a field or continues the last one.
  mutating func add(_ line: ByteSlice, to fields: inout MemberList, _ arena: inout Arena) {
    let text = line.dropFirst(Self.indentation)
    if let equals = text.firstIndex(of: UInt8(ascii: "=")), Self.isName(text.prefix(equals)) {
      finish(&fields, &arena)
      name = Array(text.prefix(equals).bytes)
      value = Array(text.dropFirst(equals + 1).bytes)
      return
    }
    // Further lines are aligned with the value on the first line.
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
    // The cheap check first: nearly every line ends differently.
    guard line.hasSuffix("]"), time(ofHead: line, context.text.clock) != nil else { return .passed }
    return .entry
  }
}
