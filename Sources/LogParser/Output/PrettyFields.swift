import Bytes

/// The fields that `pretty` hides.
///
/// By default it hides fields that are the same on every line of a component, or that point programmers to its source
/// code. They can be shown; others can be hidden.
struct PrettyFields: Sendable {
  /// The fields that are hidden by default.
  static let quiet = [
    "arch", "code_file", "code_func", "code_line", "code_module", "console-protocol", "console-url", "stream",
    "version",
  ]

  /// Whether the column or short field of every record is hidden.
  let hidesSandbox: Bool
  let hidesContainer: Bool
  let hidesPid: Bool
  /// Whether a terminal shows it even if it is the same as in the record before.
  let showsSandbox: Bool
  let showsContainer: Bool
  let showsHost: Bool
  /// The fields of the record's place to show: file, line, count.
  let places: [FlatField]
  let showsAll: Bool
  private let hidesAll: Bool
  private let hidden: [[UInt8]]
  private let shown: [[UInt8]]
  /// For each hidden key, one bit computed from its length and first letter: most shown keys have other bits.
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

  /// Whether a field with this key is hidden.
  @inline(__always)
  func hides(_ key: ByteSlice) -> Bool {
    if hidesAll { return !Self.contains(shown, key) }
    guard !key.isEmpty else { return false }
    if hiddenBits & Self.bit(key[0], key.count) != 0, Self.contains(hidden, key) { return true }
    switch key[0] {
    // The fields that journald adds to every entry.
    case UInt8(ascii: "_"):
      guard key.count > 1, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(key[1]) else { return false }
      return !showsAll && !Self.contains(shown, key)
    // This tool's marks in the formats for programs, which are shown otherwise here.
    case UInt8(ascii: "k"):
      return key.hasPrefix("kata-log-parser-") && !showsAll && !Self.contains(shown, key)
    default: return false
    }
  }

  /// Whether the key is that of an error, as Go's loggers and klog name it.
  static func isError(_ key: ByteSlice) -> Bool { key == "error" || key == "err" }

  @inline(__always)
  private static func bit(_ first: UInt8, _ length: Int) -> UInt64 {
    1 << UInt64((length % 64 * 7 + Int(first | 0x20)) % 64)
  }

  /// Whether the key is one of the names, ignoring case.
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
