import Bytes

/// Replaces the secrets in a record's message and fields, before it leaves the machine.
struct Redactor {
  private var ranges: [Range<Int>] = []

  /// Replaces secrets; returns how many were replaced.
  mutating func redact(_ record: inout Record) -> UInt64 {
    var count: UInt64 = 0
    if let message = redacted(record.message, &record.arena, &count) { record.message = message }
    var first = 0
    if record.marks.contains(.hasJournalFields), record.fields.count > 0 {
      first = 1
      redactJournal(&record, &count)
    }
    guard first < record.fields.count else { return count }
    for index in first..<record.fields.count {
      let field = record.fields[index]
      if let value = redacted(field.value, of: field.key, &record.arena, &count) {
        record.fields.setValue(value, at: index)
      }
    }
    return count
  }

  /// The journal's own fields, which contain the message again.
  private mutating func redactJournal(_ record: inout Record, _ count: inout UInt64) {
    var redactor = Redactor()
    var found: UInt64 = 0
    JournalFields.replaceValues(of: &record) { name, value, arena in
      redactor.redacted(value, of: name, &arena, &found)
    }
    count += found
  }

  /// The value of a field without its secrets; nil if it has none.
  private mutating func redacted(
    _ value: ByteSlice, of key: ByteSlice, _ arena: inout Arena, _ count: inout UInt64
  ) -> ByteSlice? {
    if value.isEmpty { return nil }
    let kind = SecretName.mayEnd(with: key.peek(key.count - 1)) ? SecretName(key) : nil
    return redacted(value, kind, &arena, &count)
  }

  /// The text of a field without its secrets; nil if it has none.
  private mutating func redacted(
    _ value: ByteSlice, _ kind: SecretName?, _ arena: inout Arena, _ count: inout UInt64
  ) -> ByteSlice? {
    switch kind {
    case nil: return redacted(value, &arena, &count)
    case .secret, .header:
      if SecretScanner.saysNothing(value) { return nil }
      count += 1
      return arena.copy(SecretScanner.mark)
    // A plain word is what an error says about a token, not a token.
    case .likely:
      let scanner = SecretScanner(value)
      guard scanner.tokenEnd(from: 0) == value.count, value.count >= 8, scanner.looksRandom(0, value.count)
      else {
        return redacted(value, &arena, &count)
      }
      count += 1
      return arena.copy(SecretScanner.mark)
    case .environment:
      let found = secrets(in: value, isEnvironment: true)
      return found.isEmpty ? nil : replace(value, found, &arena, &count)
    }
  }

  /// A text without its secrets; nil if it has none.
  mutating func redacted(_ text: ByteSlice, _ arena: inout Arena, _ count: inout UInt64) -> ByteSlice? {
    // Most texts have nothing that could begin one.
    let start = text.firstSecretSign(from: 0)
    if start >= text.count { return nil }
    var scanner = SecretScanner(text, reusing: ranges)
    ranges = []
    scanner.index = start
    scanner.scan()
    ranges = scanner.ranges
    if ranges.isEmpty { return nil }
    let found = secrets(in: text, isEnvironment: false)
    return found.isEmpty ? nil : replace(text, found, &arena, &count)
  }

  /// The most times that a text is searched again.
  private static let passLimit = 8

  /// The ranges to replace in a text, in order and without overlap.
  ///
  /// The text around each match is searched again, as if each secret and each mark of an earlier redaction ended the
  /// text, until nothing more is found. So redacting the result again finds nothing.
  private func secrets(in text: ByteSlice, isEnvironment: Bool) -> [Range<Int>] {
    let marks = Self.marks(in: text)
    var found: [Range<Int>] = []
    if marks.isEmpty {
      var scanner = SecretScanner(text)
      if isEnvironment { scanner.takeEnvironment() }
      scanner.scan()
      found = scanner.ranges
      if found.isEmpty { return [] }
    }
    for _ in 0..<Self.passLimit {
      let more = Self.secrets(in: text, around: Self.merged(found, marks))
      if more.isEmpty { break }
      found = Self.merged(found, more)
    }
    return found
  }

  private static func marks(in text: ByteSlice) -> [Range<Int>] {
    var marks: [Range<Int>] = []
    var place = 0
    while let start = text.range(of: SecretScanner.mark, from: place) {
      place = start + SecretScanner.mark.utf8CodeUnitCount
      marks.append(start..<place)
    }
    return marks
  }

  /// The secrets in the parts between these ranges.
  private static func secrets(in text: ByteSlice, around ranges: [Range<Int>]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var place = 0
    for range in ranges + [text.count..<text.count] {
      if range.lowerBound > place {
        var scanner = SecretScanner(text.slice(place, range.lowerBound))
        scanner.scan()
        found += scanner.ranges.map { $0.lowerBound + place..<$0.upperBound + place }
      }
      place = range.upperBound
    }
    return found
  }

  private static func merged(_ one: [Range<Int>], _ other: [Range<Int>]) -> [Range<Int>] {
    (one + other).sorted { $0.lowerBound < $1.lowerBound }
  }

  /// A copy with the mark in place of each range: for each range at most ten bytes more.
  private func replace(
    _ text: ByteSlice, _ ranges: [Range<Int>], _ arena: inout Arena, _ count: inout UInt64
  ) -> ByteSlice {
    count += UInt64(ranges.count)
    var out = OutputBuffer(capacity: text.count + ranges.count * SecretScanner.mark.utf8CodeUnitCount)
    var place = 0
    for range in ranges {
      out.append(text.slice(place, range.lowerBound))
      out.append(SecretScanner.mark)
      place = range.upperBound
    }
    out.append(text.dropFirst(place))
    var copy = arena.copy(out.bytes)
    copy.isPlain = text.isPlain
    return copy
  }
}
