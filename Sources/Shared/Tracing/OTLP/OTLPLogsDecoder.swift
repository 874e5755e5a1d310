import Bytes

/// What a receiver knows about the origin of log records.
package struct LogProvenance: Sendable {
  /// Resource attributes that the receiver sets; they replace all attributes with the same keys.
  package var marks: [(key: String, value: String)]
  /// The service name for a resource that has none.
  package var defaultService: String
  /// Whether `kata.NAME` becomes `kata.claimed.NAME`, because the sender is another machine.
  package var renamesClaims: Bool

  package init(marks: [(key: String, value: String)], defaultService: String, renamesClaims: Bool) {
    self.marks = marks
    self.defaultService = defaultService
    self.renamesClaims = renamesClaims
  }
}

/// Splits a request of logs into `ResourceLogs` messages of one record each, after checking each part.
struct OTLPLogsDecoder {
  private static let namespace: StaticString = "kata."

  private let bytes: UnsafeRawBufferPointer
  private let provenance: LogProvenance
  /// Bytes that may still be passed on: a request has a resource once, but afterwards each of its records has it.
  private var budget: Int
  private var check: OTLPLogsCheck

  init(_ bytes: UnsafeRawBufferPointer, limits: SpanLimits, provenance: LogProvenance) {
    self.bytes = bytes
    self.provenance = provenance
    budget = limits.requestBytes
    check = OTLPLogsCheck(bytes: bytes, limits: limits)
  }

  /// Passes each record to `body`, and the reason of each broken one to `refused`. Broken framing, or too many bytes,
  /// end the split.
  mutating func decode(
    refused: (CodecError) -> Void, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(CodecError) {
    var out = ByteWriter(capacity: 4096)
    var reader = ByteReader(bytes)
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let part = try reader.protobufValue(wire)
      if number == 1, wire == 2 { try resourceLogs(part, &out, refused, body) }
    }
  }

  /// `ResourceLogs` and `ScopeLogs` number their fields alike: what the list is of, the list, the schema.
  private struct Parts {
    var common: ByteReader?
    var schema = 0..<0
    var list: [ByteReader] = []
  }

  private func parts(_ message: ByteReader) throws(CodecError) -> Parts {
    var parts = Parts()
    var reader = message
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let value = try reader.protobufValue(wire)
      guard wire == 2 else { continue }
      switch number {
      case 1: parts.common = value
      case 2: parts.list.append(value)
      case 3: parts.schema = value.position..<value.end
      default: break
      }
    }
    return parts
  }

  private mutating func resourceLogs(
    _ message: ByteReader, _ out: inout ByteWriter, _ refused: (CodecError) -> Void,
    _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(CodecError) {
    let parts = try parts(message)
    var problem = problem(.resource, parts)
    var resource = ByteWriter(capacity: 1024)
    if problem == nil {
      do throws(CodecError) { try putResource(parts.common, &resource) } catch { problem = error }
    }
    for list in parts.list {
      let inner = try self.parts(list)
      var scope = ByteWriter(capacity: 256)
      var scopeProblem = problem ?? self.problem(.scope, inner)
      if scopeProblem == nil, let common = inner.common {
        do throws(CodecError) { _ = try put(common, attributes: 3, &scope) } catch { scopeProblem = error }
      }
      for record in inner.list {
        if let failure = scopeProblem ?? self.problem(.record, record) {
          refused(failure)
          continue
        }
        out.removeAll()
        try put(record, scope, inner.schema, resource, parts.schema, &out)
        guard out.count <= budget else { throw record.failure(.limit) }
        budget -= out.count
        body(out.bytes)
      }
    }
  }

  private mutating func problem(_ message: OTLPLogsSchema.Message, _ parts: Parts) -> CodecError? {
    guard bytes.part(parts.schema).isUTF8 else { return CodecError(.text, at: parts.schema.lowerBound) }
    return parts.common.flatMap { problem(message, $0) }
  }

  private mutating func problem(_ message: OTLPLogsSchema.Message, _ content: ByteReader) -> CodecError? {
    do throws(CodecError) {
      try check.check(message, content)
      return nil
    } catch {
      return error
    }
  }

  /// Puts a `ResourceLogs` of one record.
  private func put(
    _ record: ByteReader, _ scope: borrowing ByteWriter, _ scopeSchema: Range<Int>,
    _ resource: borrowing ByteWriter, _ schema: Range<Int>, _ out: inout ByteWriter
  ) throws(CodecError) {
    Self.put(1, resource.bytes, &out)
    out.put(2 << 3 | 2)
    let start = out.count
    Self.put(1, scope.bytes, &out)
    out.put(2 << 3 | 2)
    let inner = out.count
    _ = try put(record, attributes: 6, &out)
    out.insertLength(at: inner)
    if !scopeSchema.isEmpty { Self.put(3, bytes.part(scopeSchema), &out) }
    out.insertLength(at: start)
    if !schema.isEmpty { Self.put(3, bytes.part(schema), &out) }
  }

  private static func put(_ number: UInt8, _ content: UnsafeRawBufferPointer, _ out: inout ByteWriter) {
    out.put(number << 3 | 2)
    out.varint(UInt64(content.count))
    out.put(content)
  }

  private func putResource(_ content: ByteReader?, _ out: inout ByteWriter) throws(CodecError) {
    var hasService = false
    if let content { hasService = try put(content, attributes: 1, &out, isResource: true) }
    for mark in provenance.marks { Self.put(mark.key, mark.value, &out) }
    if !hasService { Self.put("service.name", provenance.defaultService, &out) }
  }

  /// Puts a text attribute in field 1.
  private static func put(_ key: String, _ value: String, _ out: inout ByteWriter) {
    out.put(1 << 3 | 2)
    let start = out.count
    put(key, &out)
    out.put(2 << 3 | 2)
    let inner = out.count
    put(value, &out)
    out.insertLength(at: inner)
    out.insertLength(at: start)
  }

  /// Puts a text in field 1.
  private static func put(_ text: String, _ out: inout ByteWriter) {
    out.put(1 << 3 | 2)
    out.varint(UInt64(text.utf8.count))
    out.put(string: text)
  }

  /// Puts the fields of a message unchanged, except attributes: claims are renamed, and in a resource those that the
  /// receiver sets itself are left out.
  ///
  /// - Parameter attributes: the number of the attributes' field.
  /// - Returns: whether `service.name` is among them.
  private func put(
    _ content: ByteReader, attributes: UInt64, _ out: inout ByteWriter, isResource: Bool = false
  ) throws(CodecError) -> Bool {
    var hasService = false
    var reader = content
    while !reader.isAtEnd {
      let start = reader.position
      let (number, wire) = try reader.protobufTag()
      let value = try reader.protobufValue(wire)
      guard number == attributes, wire == 2 else {
        out.put(bytes.part(start..<reader.position))
        continue
      }
      let key = bytes.part(try self.key(of: value))
      if key == "service.name" { hasService = true }
      if isResource, provenance.marks.contains(where: { key.elementsEqual($0.key.utf8) }) { continue }
      let prefix = Self.namespace.utf8CodeUnitCount
      if provenance.renamesClaims, key.count >= prefix, key.part(0..<prefix) == Self.namespace {
        try putClaim(value, key.part(prefix..<key.count), number, &out)
      } else {
        out.put(bytes.part(start..<reader.position))
      }
    }
    return hasService
  }

  /// The position of the key in a `KeyValue`.
  private func key(of content: ByteReader) throws(CodecError) -> Range<Int> {
    var key = 0..<0
    var reader = content
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let value = try reader.protobufValue(wire)
      if number == 1, wire == 2 { key = value.position..<value.end }
    }
    return key
  }

  private func putClaim(
    _ content: ByteReader, _ rest: UnsafeRawBufferPointer, _ number: UInt64, _ out: inout ByteWriter
  ) throws(CodecError) {
    out.varint(number << 3 | 2)
    let start = out.count
    out.put(1 << 3 | 2)
    out.varint(UInt64(13 + rest.count))
    out.put("kata.claimed.")
    out.put(rest)
    var reader = content
    while !reader.isAtEnd {
      let place = reader.position
      let (number, wire) = try reader.protobufTag()
      _ = try reader.protobufValue(wire)
      if number != 1 || wire != 2 { out.put(bytes.part(place..<reader.position)) }
    }
    out.insertLength(at: start)
  }
}
