import Bytes

/// Which fields the format for people leaves out.
///
/// By default those that are the same in every line of a component, or tell a programmer of it where in its source a line
/// was written. They can be shown; others can be hidden.
struct PrettyFields: Sendable {
  /// What is hidden unless it is shown.
  static let quiet = [
    "arch", "code_file", "code_func", "code_line", "code_module", "console-protocol", "console-url", "stream",
    "version",
  ]

  /// Whether a column's or a short field of every record is hidden.
  let hidesSandbox: Bool
  let hidesContainer: Bool
  let hidesPid: Bool
  /// Whether it is shown on a terminal also where it is the same as in the record before.
  let showsSandbox: Bool
  let showsContainer: Bool
  let showsHost: Bool
  /// Fields of the record's place in the output to show: its file, line, count.
  let places: [FlatField]
  let showsAll: Bool
  private let hidesAll: Bool
  private let hidden: [[UInt8]]
  private let shown: [[UInt8]]
  /// For each hidden key the bit that its length and first letter say: most keys that are shown have another.
  private let hiddenBits: UInt64

  init(_ options: PrettyOptions) {
    let hides = { (name: String) in options.hidden.contains(name) || options.hidden.contains("all") }
    showsAll = options.shown.contains("all")
    hidesAll = options.hidden.contains("all")
    hidesSandbox = hides("sandbox") && !options.shown.contains("sandbox")
    hidesContainer = hides("container") && !options.shown.contains("container")
    hidesPid = hides("pid") && !options.shown.contains("pid")
    showsSandbox = showsAll || options.shown.contains("sandbox")
    showsHost = showsAll || options.shown.contains("host")
    showsContainer = showsAll || options.shown.contains("container")
    places = [FlatField.file, .line, .count].filter {
      options.shown.contains($0.rawValue) && !options.hidden.contains($0.rawValue)
    }
    let names = (showsAll ? [] : Self.quiet) + options.hidden.map { $0.lowercased() }
    let shownNames = options.shown.map { $0.lowercased() }
    hidden = names.filter { !shownNames.contains($0) }.map { Array($0.utf8) }
    shown = shownNames.map { Array($0.utf8) }
    hiddenBits = hidden.reduce(0) { bits, name in name.first.map { bits | Self.bit($0, name.count) } ?? bits }
  }

  /// Whether a field is left out for its key.
  @inline(__always)
  func hides(_ key: ByteSlice) -> Bool {
    if hidesAll { return !Self.contains(shown, key) }
    guard !key.isEmpty else { return false }
    if hiddenBits & Self.bit(key[0], key.count) != 0, Self.contains(hidden, key) { return true }
    switch key[0] {
    // What journald adds to every entry of its own.
    case UInt8(ascii: "_"):
      guard key.count > 1, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(key[1]) else { return false }
      return !showsAll && !Self.contains(shown, key)
    // What this tool marks in the formats for programs; here it is seen.
    case UInt8(ascii: "k"):
      return key.hasPrefix("kata-log-parser-") && !showsAll && !Self.contains(shown, key)
    default: return false
    }
  }

  /// Whether the key is that of what went wrong, as Go's loggers and klog name it.
  static func isError(_ key: ByteSlice) -> Bool { key == "error" || key == "err" }

  @inline(__always)
  private static func bit(_ first: UInt8, _ length: Int) -> UInt64 {
    1 << UInt64((length % 64 * 7 + Int(first | 0x20)) % 64)
  }

  /// Whether the key is one of the names, in capitals or not.
  @inline(never)
  private static func contains(_ names: [[UInt8]], _ key: ByteSlice) -> Bool {
    for name in names where name.count == key.count {
      var index = 0
      while index < key.count, name[index] == lowercased(key[index]) { index += 1 }
      if index == key.count { return true }
    }
    return false
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
