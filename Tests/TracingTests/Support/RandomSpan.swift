import TestSupport

@testable import Tracing

/// Spans that have every feature of the model somewhere, with the values at which formats break.
struct RandomSpans {
  var generator: SplitMix64
  /// Whether there may be what only OTLP carries; an agent's spans have less.
  var isFull = true

  init(seed: UInt64) { generator = SplitMix64(state: seed) }

  private static let pieces = [
    "a", "Z", "0", " ", "\t", "\n", "\r\n", "\0", "\u{1}", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{2028}",
    "\u{feff}", "\u{ffff}", "\u{1f600}", "\u{10ffff}", "é", "e\u{301}", "\"", "\\", "/", "\\u0041",
    "</script>",
    "{", "]", "null", "long text of more than a word ", "=", ",", "ß", "日本語",
  ]
  private static let integers: [Int64] = [
    0, 1, -1, 9, 10, 99, 1 << 31, -(1 << 31), 9_007_199_254_740_991, 9_007_199_254_740_992,
    -9_007_199_254_740_992, .max, .min,
  ]
  private static let doubles: [Double] = [
    0, -0.0, 0.1, 1.0 / 3, 1e15, 1e16, 1e17, 123_456_789.125, 1e-5, 1.5e-7, .leastNonzeroMagnitude, 2.5e-308,
    1.7976931348623157e308,
    .infinity, -.infinity, .nan, -2.5, 100,
  ]
  private static let times: [UInt64] = [
    0, 1, 999, 1000, 1_772_755_200_123_456_789, 1_772_755_200_000_000_000, UInt64(Int64.max),
    UInt64(Int64.max) + 1, .max,
  ]

  mutating func next() -> PlainSpan {
    var span = PlainSpan()
    span.traceID = TraceID(high: generator.oneIn(4) ? 0 : generator.next(), low: generator.next() | 1)
    span.spanID = SpanID(generator.oneIn(8) ? 1 : generator.next() | 1)
    if generator.oneIn(2) { span.parentID = SpanID(generator.next()) }
    span.flags = generator.pick(isFull ? [0, 1, 0x101, 0x301, 0xff, .max] : [0, 1, 0xff])
    span.kind = generator.pick(isFull ? Span.Kind.allCases : Array(Span.Kind.allCases.dropFirst()))
    span.name = text()
    span.start = time()
    span.end = generator.oneIn(4) ? time() : span.start &+ UInt64(generator.below(1 << 40))
    span.status = generator.pick([.unset, .ok, .error])
    if generator.oneIn(2) { span.message = text() }
    span.state = states()
    span.attributes = attributes(12)
    span.droppedAttributes = count()
    span.droppedEvents = count()
    span.droppedLinks = count()
    for _ in 0..<generator.below(4) {
      span.events.append(
        PlainSpan.Event(name: text(), time: time(), attributes: attributes(4), dropped: count()))
    }
    for _ in 0..<generator.below(4) { span.links.append(link()) }
    span.resource = common(service: true)
    if isFull, generator.oneIn(2) { span.scope = common(service: false) }
    return span
  }

  private mutating func link() -> PlainSpan.Link {
    let isRemote = generator.oneIn(2)
    let flags: UInt32 = generator.pick(isFull ? [0, 1, 0x101] : [0, 1])
    return PlainSpan.Link(
      traceID: TraceID(high: generator.next(), low: generator.next()), spanID: SpanID(generator.next()),
      flags: isRemote && isFull ? flags | 0x300 : flags, isRemote: isRemote, state: states(),
      attributes: attributes(3), dropped: count())
  }

  private mutating func common(service: Bool) -> PlainSpan.Common {
    var common = PlainSpan.Common(attributes: attributes(4))
    if service, !generator.oneIn(4) {
      let name = generator.oneIn(6) ? [] : text()
      common.attributes.insert(
        PlainSpan.Attribute(key: Array("service.name".utf8), value: .string(name)),
        at: generator.below(common.attributes.count + 1))
    }
    guard isFull else { return common }
    if !service {
      common.name = text()
      common.version = text()
    }
    common.dropped = count()
    if generator.oneIn(3) { common.schema = Array("https://opentelemetry.io/schemas/1.44.0".utf8) }
    return common
  }

  private mutating func count() -> UInt32 { generator.pick([0, 0, 0, 1, 128, .max]) }

  private mutating func time() -> UInt64 {
    generator.oneIn(3)
      ? generator.pick(Self.times) : 1_772_755_200_000_000_000 + UInt64(generator.below(1 << 50))
  }

  private mutating func text() -> [UInt8] {
    let count = generator.pick([0, 1, 1, 2, 3, 8])
    return Array((0..<count).map { _ in generator.pick(Self.pieces) }.joined().utf8)
  }

  /// What W3C allows, in which neither comma nor equals sign is.
  private mutating func states() -> [PlainSpan.State] {
    guard generator.oneIn(3) else { return [] }
    return (0...generator.below(3)).map {
      PlainSpan.State(key: Array("vendor\($0)@kata".utf8), value: Array("v\(generator.below(1000))".utf8))
    }
  }

  private mutating func attributes(_ limit: Int) -> [PlainSpan.Attribute] {
    // Now and then more than the few that are put in order without a dictionary.
    let count = generator.oneIn(20) ? 40 : generator.below(limit)
    return (0..<count).map {
      PlainSpan.Attribute(key: Array("k\($0)".utf8) + text(), value: value(depth: 0))
    }
  }

  private mutating func value(depth: Int) -> PlainSpan.Value {
    switch generator.below(isFull ? 9 : 5) {
    case 0: return .bool(generator.oneIn(2))
    case 1: return .int(generator.pick(Self.integers))
    case 2: return .number(generator.pick(Self.doubles))
    case 3: return .string(text())
    case 4: return array(depth)
    case 5: return .bytes((0..<generator.below(9)).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
    case 6: return .empty
    case 7 where depth < 4:
      return .map(
        (0..<generator.below(4)).map {
          PlainSpan.Attribute(key: Array("m\($0)".utf8) + text(), value: value(depth: depth + 1))
        })
    case 8 where depth < 4: return .array((0..<generator.below(4)).map { _ in value(depth: depth + 1) })
    default: return .string(text())
    }
  }

  /// A list of one of the four types that an agent's lists have.
  private mutating func array(_ depth: Int) -> PlainSpan.Value {
    let type = generator.below(4)
    return .array(
      (0..<generator.below(5)).map { _ in
        switch type {
        case 0: .bool(generator.oneIn(2))
        case 1: .int(generator.pick(Self.integers))
        case 2: .number(generator.pick(Self.doubles))
        default: .string(text())
        }
      })
  }
}
