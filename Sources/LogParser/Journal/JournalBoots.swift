import Bytes

/// Finds out which boot is meant.
enum JournalBoots {
  /// The id that a boot's name stands for: an id of 32 hexadecimal digits, `0` for the newest boot, `-1` for the one
  /// before, `1` for the oldest.
  static func id(
    _ name: String, in options: JournalOptions, _ subject: String
  ) throws(JournalError) -> String {
    if name.utf8.count == 32, name.utf8.allSatisfy({ HexDigit.value($0) != nil }) {
      return name.lowercased()
    }
    guard let offset = Int(name) else {
      throw JournalError("\(name) is no boot: give 0, -1, … or a boot's id")
    }
    if offset == 0, options.location == .local {
      guard let id = try Systemd.currentBoot() else {
        throw JournalError("the id of this boot cannot be read")
      }
      return id
    }
    let boots = try all(options, subject)
    let index = offset > 0 ? offset - 1 : boots.count - 1 + offset
    guard boots.indices.contains(index) else {
      throw JournalError("\(subject): there is no boot \(name); it holds \(boots.count)")
    }
    return boots[index]
  }

  /// The ids of all boots, by the time of their first entries.
  private static func all(_ options: JournalOptions, _ subject: String) throws(JournalError) -> [String] {
    var plain = JournalOptions()
    plain.location = options.location
    plain.identifiers = []
    let reader = try JournalReader.open(plain)
    var boots: [(id: String, time: UInt64)] = []
    for id in reader.uniqueValues(of: "_BOOT_ID") {
      if let time = reader.firstTime(ofBoot: id) { boots.append((id, time)) }
    }
    return boots.sorted { $0.time < $1.time }.map(\.id)
  }
}

extension JournalReader {
  /// The values that a field has anywhere in the journal.
  func uniqueValues(of field: String) -> [String] { systemd.uniqueValues(of: field, limit: 100_000) }

  /// When the first entry of a boot was taken, in microseconds; the journal's matches are replaced.
  func firstTime(ofBoot id: String) -> UInt64? {
    systemd.removeMatches()
    guard systemd.addMatch("_BOOT_ID=\(id)") >= 0, systemd.seekHead() >= 0, systemd.next() > 0 else {
      return nil
    }
    return realtime
  }
}
