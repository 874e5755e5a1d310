/// A set of numbers that are hashes already, so that nothing hashes them once more.
struct KeySet {
  /// Half of it, at most, is taken; 0 is an empty place.
  private var places: [UInt64] = []
  private(set) var count = 0

  private static let initialPlaces = 1 << 10

  func contains(_ key: UInt64) -> Bool { !places.isEmpty && places[place(of: Self.stored(key))] != 0 }

  mutating func insert(_ key: UInt64) {
    if places.count < 2 * (count + 1) { grow() }
    let stored = Self.stored(key)
    let place = place(of: stored)
    if places[place] == 0 { count += 1 }
    places[place] = stored
  }

  /// Where a key is, or the empty place where it would be.
  private func place(of stored: UInt64) -> Int {
    let mask = places.count - 1
    var place = Int(truncatingIfNeeded: stored) & mask
    while places[place] != 0, places[place] != stored { place = (place + 1) & mask }
    return place
  }

  private mutating func grow() {
    let old = places
    places = [UInt64](repeating: 0, count: max(Self.initialPlaces, 2 * old.count))
    for stored in old where stored != 0 { places[place(of: stored)] = stored }
  }

  private static func stored(_ key: UInt64) -> UInt64 { key == 0 ? 1 : key }
}
