import Basics
import Glibc

/// The different values that a field had, for a message: how many there were, and the first of them.
///
/// Guests choose the values, so that everything is bounded: ``limit`` values are told apart, the names of
/// ``keptNames`` are kept, 64 bytes of each.
struct DistinctValues {
  static let limit = 4096
  private static let keptNames = 256
  private static let keptBytes = 64

  private var hashes: Set<Int> = []
  private var last: [UInt8] = []
  /// The first values, in the order in which they came.
  private(set) var names: [String] = []
  /// Whether there may be more values than ``count`` says.
  var isFull: Bool { hashes.count >= Self.limit }
  var count: Int { hashes.count }

  /// Notes a value; an empty one is none.
  mutating func note(_ value: ByteSlice) {
    if value.isEmpty || isFull { return }
    // Most records have the value of the one before.
    if last.count == value.count,
      last.withUnsafeBufferPointer({
        $0.baseAddress.map { memcmp($0, value.base, value.count) == 0 } ?? false
      })
    {
      return
    }
    last.removeAll(keepingCapacity: true)
    last.append(contentsOf: value.bytes)
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(value.bytes))
    guard hashes.insert(hasher.finalize()).inserted, names.count < Self.keptNames else { return }
    let name = value.prefix(Self.keptBytes).string
    names.append(value.count > Self.keptBytes ? name + "…" : name)
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

  /// The first characters of an id, which select it; other values whole, in quotes where their end would not be seen.
  private static func shown(_ name: String) -> String {
    let digits = name.utf8.prefix { Unescaper.hexDigit($0) != nil }
    if digits.count >= 32 { return String(name.prefix(12)) }
    return name.contains { $0 == "," || $0.isWhitespace } ? "\"\(name)\"" : name
  }
}
