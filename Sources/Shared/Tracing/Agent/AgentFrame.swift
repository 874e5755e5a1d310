import Bytes

/// What precedes every span on a guest agent's stream: its length, an unsigned 64-bit big-endian number. See
/// `formats/agent-frames`.
package enum AgentFrame {
  package static let headerBytes = 8

  /// The two encodings of a payload; nothing in the frame names the one.
  package enum Encoding: String, Sendable, CaseIterable {
    /// bincode 1.3 of `SpanData`: agents of Kata 2.2 to 3.28.
    case bincode
    /// JSON of `SpanData`: agents of Kata 3.29 and later.
    case json
  }

  /// Detects the encoding. A bincode payload begins with a random trace id, so the first byte alone is not enough.
  package static func encoding(of payload: UnsafeRawBufferPointer) -> Encoding {
    var index = 0
    func skipSpace() {
      while index < payload.count, [0x20, 0x09, 0x0a, 0x0d].contains(payload[index]) { index += 1 }
    }
    skipSpace()
    guard index < payload.count, payload[index] == 0x7b else { return .bincode }
    index += 1
    skipSpace()
    guard index < payload.count, payload[index] == 0x22 else { return .bincode }
    // A key of four letters or more and its colon, of which random bytes make one in 2^45.
    let start = index + 1
    index = start
    while index < payload.count, (0x61...0x7a).contains(payload[index]) || payload[index] == 0x5f {
      index += 1
    }
    guard index - start >= 4, index < payload.count, payload[index] == 0x22 else { return .bincode }
    index += 1
    skipSpace()
    return index < payload.count && payload[index] == 0x3a ? .json : .bincode
  }

  /// Decodes one payload of either encoding.
  package static func decode(
    _ payload: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(), into span: inout Span
  ) throws(CodecError) -> Encoding {
    let encoding = encoding(of: payload)
    switch encoding {
    case .bincode: try AgentBincode.decode(payload, limits: limits, into: &span)
    case .json: try AgentJSON.decode(payload, limits: limits, into: &span)
    }
    if span.traceID.value == 0 || span.spanID.isZero { throw CodecError(.identifier, at: 0) }
    return encoding
  }

  /// Appends a whole frame.
  package static func append(_ span: Span, as encoding: Encoding, to out: inout ByteWriter) {
    var payload = ByteWriter(capacity: 1024)
    switch encoding {
    case .bincode: AgentBincode.encode(span, to: &payload)
    case .json: AgentJSON.encode(span, to: &payload)
    }
    out.big(UInt64(payload.count))
    out.put(payload.bytes)
  }
}

/// The numbers that the agent's `SpanKind` has in bincode, and its names in JSON.
enum AgentKind {
  static let kinds: [(kind: Span.Kind, name: StaticString)] = [
    (.client, "Client"), (.server, "Server"), (.producer, "Producer"), (.consumer, "Consumer"),
    (.internal, "Internal"),
  ]

  static func index(of kind: Span.Kind) -> Int { kinds.firstIndex { $0.kind == kind } ?? 4 }
}

extension Span {
  /// Puts the attributes of the encoded map, which are in random order from `first` on in the pool, into the order in
  /// which they were set. `newest` are the texts of the keys, the last one set first.
  mutating func orderAttributes(from first: Int, newest: some Collection<Text>) {
    let count = attributes.count - first
    own = List(first, count)
    agent.mapOrder.removeAll(keepingCapacity: true)
    for _ in 0..<count { agent.mapOrder.append(.max) }
    var next = 0
    if count > 24 {
      next = orderByDictionary(first, newest)
    } else {
      // The order of setting, counted from the first one set.
      var place = newest.count
      for key in newest {
        place -= 1
        let index = text.withUnsafeBytes { text in
          (0..<count).first { index in
            agent.mapOrder[index] == .max && text[attributes[first + index].key].isSame(as: text[key])
          }
        }
        if let index { agent.mapOrder[index] = UInt32(place) }
      }
      next = newest.count
    }
    for index in 0..<count where agent.mapOrder[index] == .max {
      agent.mapOrder[index] = UInt32(next)
      next += 1
    }
    if next > count { closeGaps() }
    for index in 0..<count { attributes.append(attributes[first + index]) }
    for index in 0..<count {
      attributes[first + Int(agent.mapOrder[index])] = attributes[first + count + index]
    }
    attributes.removeLast(count)
  }

  private mutating func orderByDictionary(_ first: Int, _ newest: some Collection<Text>) -> Int {
    // By bytes: texts that Unicode calls equivalent are different keys.
    func bytes(_ piece: Text) -> ArraySlice<UInt8> {
      text[clamping: List(Int(piece.offset), Int(piece.count))]
    }
    var indexes: [ArraySlice<UInt8>: Int] = [:]
    for index in 0..<agent.mapOrder.count { indexes[bytes(attributes[first + index].key)] = index }
    var place = newest.count
    for key in newest {
      place -= 1
      if let index = indexes.removeValue(forKey: bytes(key)) { agent.mapOrder[index] = UInt32(place) }
    }
    return newest.count
  }

  /// Makes the places consecutive where the list named keys that the map has not.
  private mutating func closeGaps() {
    let sorted = agent.mapOrder.indices.sorted { agent.mapOrder[$0] < agent.mapOrder[$1] }
    for (place, index) in sorted.enumerated() { agent.mapOrder[index] = UInt32(place) }
  }
}

extension Span {
  /// Takes the span's own context, which agents write as they write a link's.
  mutating func setContext(_ context: Link) {
    traceID = context.traceID
    spanID = context.spanID
    flags = context.flags
    agent.isRemote = context.isRemote
    agent.hasTraceState = context.hasState
    traceState = context.traceState
  }
}
