import Bytes
import CSystemd
import Glibc

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
      let systemd = try Systemd.load()
      var id = sd_id128_t()
      guard systemd.boot(&id) >= 0 else { throw JournalError("the id of this boot cannot be read") }
      return text(id)
    }
    let boots = try all(options, subject)
    let index = offset > 0 ? offset - 1 : boots.count - 1 + offset
    guard boots.indices.contains(index) else {
      throw JournalError("\(subject): there is no boot \(name); it holds \(boots.count)")
    }
    return boots[index]
  }

  private static func text(_ id: sd_id128_t) -> String {
    withUnsafeBytes(of: id) { bytes in
      bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
  }

  /// The ids of all boots, by the time of their first entries.
  private static func all(_ options: JournalOptions, _ subject: String) throws(JournalError) -> [String] {
    var plain = JournalOptions()
    plain.location = options.location
    plain.identifiers = []
    var reader = try JournalReader.open(plain)
    var boots: [(id: String, time: UInt64)] = []
    for id in reader.uniqueValues(of: "_BOOT_ID") {
      if let time = try reader.firstTime(ofBoot: id) { boots.append((id, time)) }
    }
    return boots.sorted { $0.time < $1.time }.map(\.id)
  }
}

extension JournalReader {
  /// The values that a field has anywhere in the journal.
  mutating func uniqueValues(of field: String) -> [String] {
    guard systemd.queryUnique(handle, field) >= 0 else { return [] }
    var values: [String] = []
    systemd.restartUnique(handle)
    while values.count < 100_000 {
      var data: UnsafeRawPointer?
      var length = 0
      guard systemd.enumerateUnique(handle, &data, &length) > 0, let data else { break }
      let text = String(decoding: UnsafeRawBufferPointer(start: data, count: length), as: UTF8.self)
      values.append(String(text.dropFirst(field.count + 1)))
    }
    return values
  }

  /// When the first entry of a boot was taken, in microseconds; the journal's matches are replaced.
  mutating func firstTime(ofBoot id: String) throws(JournalError) -> UInt64? {
    systemd.flushMatches(handle)
    let match = "_BOOT_ID=\(id)"
    guard systemd.addMatch(handle, match, match.utf8.count) >= 0, systemd.seekHead(handle) >= 0,
      systemd.next(handle) > 0
    else { return nil }
    return realtime
  }
}
