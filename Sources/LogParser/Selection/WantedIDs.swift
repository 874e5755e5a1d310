import Bytes

/// The ids that the user chose, made ready to be compared with those of each record. An id may be given by its first
/// characters, as container tools let one do.
struct WantedIDs {
  /// All of them, one behind the other, and where each ends.
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

  /// Whether the id is one of them, or the one of which it is not known what it names; any is when none was chosen.
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
