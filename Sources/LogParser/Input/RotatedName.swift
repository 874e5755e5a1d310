/// The parts of a log file's name, by the conventions of logrotate, the kubelet and others for rotated files:
/// `kata.log.2`, `kata.log-20260301.gz`, `kata-20260301.log`, `0.log.20260301-050154`.
struct RotatedName {
  /// The age of a file within its set.
  private enum Age {
    /// When the file was rotated: digits, which sort as the times do.
    case dated(String)
    /// How many times it was rotated.
    case numbered(Int)
    case current
  }

  let name: String
  /// The common name of the set's files, without rotation and compression suffixes.
  let base: String
  private let age: Age

  /// Whether this is the file that is still being written.
  var isCurrent: Bool { if case .current = age { !isCompressed } else { false } }
  private let isCompressed: Bool

  private static let compressions = [".gz", ".xz", ".zst", ".bz2"]

  init(_ name: String) {
    self.name = name
    let plain = Self.compressions.first(where: name.hasSuffix).map { name.dropLast($0.count) } ?? name[...]
    isCompressed = plain.count < name.count
    if let (base, age) = Self.rotated(plain) {
      (self.base, self.age) = (base, age)
    } else if let dot = plain.lastIndex(of: "."), plain[dot...].utf8.dropFirst().allSatisfy(Self.isLetter),
      let (base, age) = Self.rotated(plain[..<dot])
    {
      (self.base, self.age) = (base + plain[dot...], age)
    } else {
      (base, age) = (String(plain), .current)
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  /// Splits the rotation suffix from a name; nil if there is none.
  private static func rotated(_ name: Substring) -> (base: String, age: Age)? {
    let tail = name.reversed().prefix { $0.isASCII && $0.isNumber || "-_T".contains($0) }.count
    // The suffix begins after the last dot, or is the last date in the name.
    let start = name.index(name.endIndex, offsetBy: -tail)
    if start > name.startIndex, name[name.index(before: start)] == "." {
      let mark = name[start...]
      let base = String(name[..<name.index(before: start)])
      if mark.count <= 4, let number = Int(mark), !base.isEmpty { return (base, .numbered(number)) }
      return date(mark).map { (base, .dated($0)) }
    }
    for place in name[start...].indices where name[place] == "-" && place > name.startIndex {
      if let date = date(name[name.index(after: place)...]) { return (String(name[..<place]), .dated(date)) }
    }
    return nil
  }

  /// The digits of a date and time, `20260301`, `2026-03-01`, `20260301-050154` or seconds since 1970; nil for other
  /// text.
  private static func date(_ text: Substring) -> String? {
    let digits = text.filter { $0.isASCII && $0.isNumber }
    guard let first = text.first, first.isNumber, (8...14).contains(digits.count), text.count <= 19,
      digits.hasPrefix("20") || digits.hasPrefix("19") || digits.count == 10
    else { return nil }
    return digits
  }

  /// Whether this file comes before another one: sets by name, and oldest first within a set.
  func precedes(_ other: RotatedName) -> Bool {
    if base != other.base { return base < other.base }
    switch (age, other.age) {
    case (.dated(let date), .dated(let theirs)) where date != theirs: return date < theirs
    case (.numbered(let number), .numbered(let theirs)) where number != theirs: return number > theirs
    default: return rank != other.rank ? rank < other.rank : name < other.name
    }
  }

  private var rank: Int {
    switch age {
    case .dated: 0
    case .numbered: 1
    case .current: 2
    }
  }
}
