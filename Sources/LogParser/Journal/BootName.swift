import Bytes

/// A boot as journalctl(1) names it: `[ID][±OFFSET]` or `all`.
enum BootName: Equatable {
  /// 0 and less count back from the newest boot; 1 and more count from the oldest.
  case offset(Int)
  /// The boot with this id, in lower case, or the one at this offset from it.
  case id(String, Int)
  /// Every boot.
  case all

  private static let idLength = 32

  /// Parses a name; nil if it is not valid.
  init?(_ name: String) {
    if name == "all" {
      self = .all
      return
    }
    let bytes = name.utf8
    if bytes.count >= Self.idLength, bytes.prefix(Self.idLength).allSatisfy({ HexDigit.value($0) != nil }) {
      let rest = name.dropFirst(Self.idLength)
      guard let first = rest.first else {
        self = .id(name.lowercased(), 0)
        return
      }
      guard first == "+" || first == "-", let offset = Int(rest) else { return nil }
      self = .id(name.prefix(Self.idLength).lowercased(), offset)
      return
    }
    guard let offset = Int(name) else { return nil }
    self = .offset(offset)
  }
}
