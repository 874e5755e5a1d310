import CSystemd
import Glibc

/// Finds out which boot is meant.
enum JournalBoots {
  /// The id that a boot's name stands for: an id of 32 hexadecimal digits, `0` for the newest boot, `-1` for the one
  /// before, `1` for the oldest.
  static func id(
    _ name: String, in options: JournalOptions, _ subject: String
  ) throws(JournalError) -> String {
    if name.utf8.count == 32, name.utf8.allSatisfy({ Unescaper.hexDigit($0) != nil }) {
      return name.lowercased()
    }
    guard let offset = Int(name) else {
      throw JournalError("\(name) is no boot: give 0, -1, … or a boot's id")
    }
    if offset == 0, options.location == .local {
      var id = sd_id128_t()
      guard sd_id128_get_boot(&id) >= 0 else { throw JournalError("the id of this boot cannot be read") }
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
    var buffer = [CChar](repeating: 0, count: 33)
    sd_id128_to_string(id, &buffer)
    return String(decoding: buffer.prefix(32).map { UInt8(bitPattern: $0) }, as: UTF8.self)
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
    guard sd_journal_query_unique(handle, field) >= 0 else { return [] }
    var values: [String] = []
    sd_journal_restart_unique(handle)
    while values.count < 100_000 {
      var data: UnsafeRawPointer?
      var length = 0
      guard sd_journal_enumerate_available_unique(handle, &data, &length) > 0, let data else { break }
      let text = String(decoding: UnsafeRawBufferPointer(start: data, count: length), as: UTF8.self)
      values.append(String(text.dropFirst(field.count + 1)))
    }
    return values
  }

  /// When the first entry of a boot was taken, in microseconds; the journal's matches are replaced.
  mutating func firstTime(ofBoot id: String) throws(JournalError) -> UInt64? {
    sd_journal_flush_matches(handle)
    let match = "_BOOT_ID=\(id)"
    guard sd_journal_add_match(handle, match, match.utf8.count) >= 0, sd_journal_seek_head(handle) >= 0,
      sd_journal_next(handle) > 0
    else { return nil }
    return realtime
  }
}
