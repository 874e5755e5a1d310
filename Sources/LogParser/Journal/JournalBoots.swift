import Bytes

/// Resolves the names of boots.
enum JournalBoots {
  /// The id of the boot with a name; see ``BootName``.
  static func id(
    _ name: String, in options: JournalOptions, _ subject: String
  ) throws(JournalError) -> String {
    switch BootName(name) {
    case .id(let id, 0): return id
    case .offset(0) where options.location == .local:
      guard let id = try Systemd.currentBoot() else {
        throw JournalError("the id of this boot cannot be read")
      }
      return id
    case .id(let id, let offset):
      let boots = try all(options, subject)
      guard let place = boots.firstIndex(of: id) else {
        throw JournalError("\(subject): there is no boot \(id); it holds \(boots.count)")
      }
      return try boot(at: place, offset, of: boots, name, subject)
    case .offset(let offset):
      let boots = try all(options, subject)
      return try boot(at: offset > 0 ? -1 : boots.count - 1, offset, of: boots, name, subject)
    case .all, nil: throw JournalError("\(name) is not a boot: give 0, -1, … or a boot's id")
    }
  }

  private static func boot(
    at place: Int, _ offset: Int, of boots: [String], _ name: String, _ subject: String
  ) throws(JournalError) -> String {
    let (index, overflows) = place.addingReportingOverflow(offset)
    guard !overflows, boots.indices.contains(index) else {
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

  /// The time of a boot's first entry, in microseconds; replaces the journal's matches.
  func firstTime(ofBoot id: String) -> UInt64? {
    systemd.removeMatches()
    guard systemd.addMatch("_BOOT_ID=\(id)") >= 0, systemd.seekHead() >= 0, systemd.next() > 0 else {
      return nil
    }
    return realtime
  }
}
