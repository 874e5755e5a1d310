import Bytes
import Glibc

/// The distinct values of a field, for a message: their number, and the first few.
///
/// Guests choose the values, so everything is bounded: ``limit`` distinct values are counted, and ``keptNames`` of
/// them are kept, with 64 bytes each.
struct DistinctValues {
  static let limit = 4096
  private static let keptNames = 256
  private static let keptBytes = 64

  private var hashes: Set<Int> = []
  /// Recently seen values: most records have one of these.
  private var recent = RecentValues()
  /// The first values, in the order of arrival.
  private(set) var names: [String] = []
  /// Whether there may be more values than ``count``.
  var isFull: Bool { hashes.count >= Self.limit }
  var count: Int { hashes.count }

  /// Notes a value; an empty one is ignored.
  mutating func note(_ value: ByteSlice) {
    if value.isEmpty || isFull || recent.hold(value) { return }
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(value.bytes))
    guard hashes.insert(hasher.finalize()).inserted, names.count < Self.keptNames else { return }
    let name = value.prefix(Self.keptBytes).string
    names.append(value.count > Self.keptBytes ? name + "…" : name)
  }

  /// Notes two values joined by a separator, or only the second if the first is empty.
  mutating func note(joined first: ByteSlice, _ separator: UInt8, _ second: ByteSlice) {
    if first.isEmpty { return note(second) }
    ByteSlice.withCopy(of: first.array + [separator] + second.array) { note($0) }
  }

  /// Notes a value that is a number.
  mutating func note(_ number: Int) {
    if isFull || recent.hold(number) { return }
    var hasher = Hasher()
    hasher.combine(number)
    guard hashes.insert(hasher.finalize()).inserted, names.count < Self.keptNames else { return }
    names.append("\(number)")
  }

  /// `3 sandboxes: a, b, c`; `8 sandboxes: a, b, c, d, e and 3 more`; `no sandbox`.
  func list(_ one: String, _ many: String) -> String {
    Self.list(names, count: count, isFull: isFull, one, many)
  }

  /// As ``list(_:_:)``, of `count` values that begin with `names`.
  static func list(
    _ names: [String], count: Int, isFull: Bool = false, _ one: String, _ many: String
  ) -> String {
    if names.isEmpty { return "no \(one)" }
    let shown = names.prefix(5).map(Self.shown)
    let rest = count - shown.count
    let more = isFull ? " and others" : rest > 0 ? " and \(rest) more" : ""
    let number = isFull ? "at least \(count)" : "\(count)"
    return "\(number) \(count == 1 ? one : many): \(shown.joined(separator: ", "))\(more)"
  }

  /// The first characters of an id, which are enough to select it; other values in full, in quotes if their end would
  /// not be visible.
  private static func shown(_ name: String) -> String {
    let digits = name.utf8.prefix { HexDigit.value($0) != nil }
    if digits.count >= 32 { return String(name.prefix(12)) }
    return name.contains { $0 == "," || $0.isWhitespace } ? "\"\(name)\"" : name
  }
}

/// A small cache of values that were seen recently.
private struct RecentValues {
  private static let slots = 512
  /// The longest value that is remembered: the length of an id.
  private static let width = 64

  private var bytes: [UInt8] = []
  private var counts: [Int] = []
  private var numbers: [Int?] = []

  /// Whether the value was in the cache; afterwards it is.
  mutating func hold(_ value: ByteSlice) -> Bool {
    if value.isEmpty || value.count > Self.width { return false }
    if bytes.isEmpty {
      bytes = Array(repeating: 0, count: Self.slots * Self.width)
      counts = Array(repeating: 0, count: Self.slots)
    }
    let slot = Self.slot(of: value)
    return bytes.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress.map({ $0 + slot * Self.width }) else { return false }
      if counts[slot] == value.count, memcmp(start, value.base, value.count) == 0 { return true }
      memcpy(start, value.base, value.count)
      counts[slot] = value.count
      return false
    }
  }

  @inline(__always)
  private static func slot(of value: ByteSlice) -> Int {
    // A slice's padding makes four bytes readable, however short it is; the last byte distinguishes short values.
    let first = UnsafeRawPointer(value.base).loadUnaligned(as: UInt32.self)
    let word = UInt64(value.count < 4 ? UInt32(value[0]) : first) << 8 | UInt64(value[value.count - 1])
    return Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 55)
  }

  /// Whether the number was in the cache; afterwards it is.
  mutating func hold(_ number: Int) -> Bool {
    if numbers.isEmpty { numbers = Array(repeating: nil, count: Self.slots) }
    let slot = number & (Self.slots - 1)
    if numbers[slot] == number { return true }
    numbers[slot] = number
    return false
  }
}
