import Bytes

/// Groups log records by resource and scope, in the order of first appearance.
///
/// A log record travels as one `ResourceLogs` with only that record, so that records can be stored, split into batches
/// and halved without parsing. Such messages one after another as field 1 are already a valid request. Grouping writes
/// each resource and each scope once, which keeps payloads small. Resources are equal if their bytes are.
struct OTLPLogsGrouping {
  /// A resource or a scope with its schema: pieces of the original request.
  private struct Key {
    var content: Range<Int>
    var schema: Range<Int>
    var hash: UInt64
  }

  private struct Scope {
    var key: Key
    var first: Int
    var last: Int
    /// The next scope of the same resource, or -1.
    var next = -1
  }

  private struct Group {
    var key: Key
    var firstScope = -1
    var lastScope = -1
    /// The previous group with the same hash, or -1.
    var sameHash: Int
  }

  private let bytes: UnsafeRawBufferPointer
  private var groups: [Group] = []
  private var scopes: [Scope] = []
  private var records: [(range: Range<Int>, next: Int)] = []
  private var newest: [UInt64: Int] = [:]
  /// The group of the record before: the next one is often of the same.
  private var latestGroup = -1

  /// Reads a request. Throws if the bytes are not one.
  init(_ request: UnsafeRawBufferPointer) throws(CodecError) {
    bytes = request
    var reader = ByteReader(request)
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let part = try reader.protobufValue(wire)
      if number == 1, wire == 2 { try addResource(part) }
    }
  }

  /// Whether a `ResourceLogs` message has a record; throws if its framing is broken.
  static func hasRecord(_ message: ByteReader) throws(CodecError) -> Bool {
    var found = false
    var reader = message
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      var scope = try reader.protobufValue(wire)
      guard number == 2, wire == 2 else { continue }
      while !scope.isAtEnd {
        let (number, wire) = try scope.protobufTag()
        _ = try scope.protobufValue(wire)
        if number == 2, wire == 2 { found = true }
      }
    }
    return found
  }

  private mutating func addResource(_ message: ByteReader) throws(CodecError) {
    guard let (key, only) = try key(message) else { return }
    let group = group(key)
    if let only { return try addScope(only, to: group) }
    var reader = message
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let part = try reader.protobufValue(wire)
      if number == 2, wire == 2 { try addScope(part, to: group) }
    }
  }

  private mutating func addScope(_ message: ByteReader, to group: Int) throws(CodecError) {
    guard let (key, only) = try key(message) else { return }
    let place = scope(key, of: group)
    if let only { return addRecord(only.position..<only.end, to: place) }
    var reader = message
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let part = try reader.protobufValue(wire)
      if number == 2, wire == 2 { addRecord(part.position..<part.end, to: place) }
    }
  }

  private mutating func addRecord(_ range: Range<Int>, to scope: Int) {
    records.append((range, -1))
    let index = records.count - 1
    let last = scopes[scope].last
    if last >= 0 { records[last].next = index } else { scopes[scope].first = index }
    scopes[scope].last = index
  }

  /// `ResourceLogs` and `ScopeLogs` number their fields alike: what the list is of, the list, the schema. Nil where the list
  /// is empty; `only` is its item where it has one, as nearly always.
  private func key(_ message: ByteReader) throws(CodecError) -> (key: Key, only: ByteReader?)? {
    var content = 0..<0
    var schema = 0..<0
    var items = 0
    var first = message
    var reader = message
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let part = try reader.protobufValue(wire)
      guard wire == 2 else { continue }
      switch number {
      case 1: content = part.position..<part.end
      case 2:
        if items == 0 { first = part }
        items += 1
      case 3: schema = part.position..<part.end
      default: break
      }
    }
    guard items > 0 else { return nil }
    let hash = bytes.part(content).quickHash
    let key = Key(
      content: content, schema: schema, hash: schema.isEmpty ? hash : hash ^ bytes.part(schema).quickHash)
    return (key, items == 1 ? first : nil)
  }

  private func isSame(_ one: Key, _ other: Key) -> Bool {
    one.hash == other.hash && bytes.part(one.content).isSame(as: bytes.part(other.content))
      && bytes.part(one.schema).isSame(as: bytes.part(other.schema))
  }

  private mutating func group(_ key: Key) -> Int {
    if latestGroup >= 0, isSame(groups[latestGroup].key, key) { return latestGroup }
    let first = newest[key.hash] ?? -1
    var place = first
    while place >= 0 {
      if isSame(groups[place].key, key) {
        latestGroup = place
        return place
      }
      place = groups[place].sameHash
    }
    groups.append(Group(key: key, sameHash: first))
    latestGroup = groups.count - 1
    newest[key.hash] = latestGroup
    return latestGroup
  }

  /// A resource has few scopes, so they are searched one by one, the latest first.
  private mutating func scope(_ key: Key, of group: Int) -> Int {
    let latest = groups[group].lastScope
    if latest >= 0, isSame(scopes[latest].key, key) { return latest }
    var place = groups[group].firstScope
    while place >= 0 {
      if isSame(scopes[place].key, key) { return place }
      place = scopes[place].next
    }
    scopes.append(Scope(key: key, first: -1, last: -1))
    let new = scopes.count - 1
    if latest >= 0 { scopes[latest].next = new } else { groups[group].firstScope = new }
    groups[group].lastScope = new
    return new
  }

  /// Appends the request with its records grouped.
  func put(to out: inout ByteWriter) {
    for group in groups {
      out.put(OTLPLogs.resourceLogsTag)
      let start = out.count
      put(1, group.key.content, &out)
      var place = group.firstScope
      while place >= 0 {
        put(scopes[place], &out)
        place = scopes[place].next
      }
      if !group.key.schema.isEmpty { put(3, group.key.schema, &out) }
      out.insertLength(at: start)
    }
  }

  private func put(_ scope: Scope, _ out: inout ByteWriter) {
    out.put(2 << 3 | 2)
    let start = out.count
    put(1, scope.key.content, &out)
    var index = scope.first
    while index >= 0 {
      put(2, records[index].range, &out)
      index = records[index].next
    }
    if !scope.key.schema.isEmpty { put(3, scope.key.schema, &out) }
    out.insertLength(at: start)
  }

  private func put(_ number: UInt64, _ range: Range<Int>, _ out: inout ByteWriter) {
    out.varint(number << 3 | 2)
    out.varint(UInt64(range.count))
    out.put(bytes.part(range))
  }
}
