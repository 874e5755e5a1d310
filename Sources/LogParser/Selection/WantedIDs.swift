import Bytes

/// The ids to select, prepared for comparison with those of each record. An id may be given by its first characters,
/// as with container tools.
struct WantedIDs {
  /// All ids concatenated, and where each ends.
  private let bytes: [UInt8]
  private let ends: [Int]

  init(_ ids: [String]) {
    var bytes: [UInt8] = []
    ends = ids.map { id in
      bytes += Array(id.utf8)
      return bytes.count
    }
    self.bytes = bytes
  }

  /// Whether `id`, or `unknown`, an id of unknown kind, is selected. True if no ids were given.
  @inline(__always)
  func accept(_ id: ByteSlice, or unknown: ByteSlice) -> Bool {
    ends.isEmpty || holdPrefix(of: id) || !unknown.isEmpty && holdPrefix(of: unknown)
  }

  private func holdPrefix(of id: ByteSlice) -> Bool {
    var start = 0
    for end in ends {
      if id.count >= end - start, id.prefix(end - start).isSame(as: bytes, at: start) { return true }
      start = end
    }
    return false
  }
}
