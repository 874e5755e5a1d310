import Testing

@testable import TraceForwarder
@testable import Tracing

/// What a receiver lets stand of what a span says about its origin.
struct SpanProvenanceTests {
  private func span(_ resource: [String: String], own: [String: String] = [:]) -> Span {
    var span = Span()
    func add(_ pairs: [String: String]) -> Span.List {
      let first = span.attributes.count
      for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
        let attribute = Span.Attribute(span.intern(key), .string(span.intern(value)))
        span.attributes.append(attribute)
      }
      return Span.List(first, pairs.count)
    }
    span.resource.attributes = add(resource)
    span.own = add(own)
    return span
  }

  private func texts(_ span: Span, _ list: Span.List) -> [String: String] {
    var result: [String: String] = [:]
    for attribute in span.attributes[clamping: list] {
      if case .string(let piece) = attribute.value { result[span.string(attribute.key)] = span.string(piece) }
    }
    return result
  }

  private func provenance(isLocal: Bool) -> SpanProvenance {
    SpanProvenance(receiver: "otlp", isLocal: isLocal, defaultService: "agent", SpanLimits())
  }

  @Test func whatComesOverTheNetworkIsAClaim() {
    var span = span(
      ["kata.sandbox.id": "a", "service.name": "s", "kata.receiver": "vsock"],
      own: ["sandbox_id": "b", "kata.x": "c"])
    provenance(isLocal: false).mark(&span)
    #expect(
      texts(span, span.resource.attributes) == [
        "kata.claimed.sandbox.id": "a", "service.name": "s", "kata.claimed.receiver": "vsock",
        "kata.receiver": "otlp",
      ])
    #expect(texts(span, span.own) == ["sandbox_id": "b", "kata.claimed.x": "c"])
  }

  @Test func whatComesFromThisMachineStays() {
    var span = span(["kata.x": "a", "kata.receiver": "vsock"], own: ["sandbox_id": "b", "kata.y": "c"])
    provenance(isLocal: true).mark(&span)
    #expect(
      texts(span, span.resource.attributes) == [
        "kata.x": "a", "kata.receiver": "otlp", "service.name": "agent", "kata.sandbox.id": "b",
      ])
    #expect(texts(span, span.own) == ["sandbox_id": "b", "kata.y": "c"])
  }

  @Test func emptyOrForeignSandboxIDIsIgnored() {
    for value in ["", nil] {
      var span = span(["service.name": "s"], own: value.map { ["sandbox_id": $0] } ?? [:])
      provenance(isLocal: true).mark(&span)
      #expect(texts(span, span.resource.attributes) == ["service.name": "s", "kata.receiver": "otlp"])
    }
  }

  @Test func guestSocketIdentifiesSandboxAndContextID() {
    var origin = SpanOrigin(transport: .vsock)
    origin.cid = 7
    origin.sandbox = "mine"
    var span = span(
      ["kata.sandbox.id": "a", "kata.guest.cid": "3", "service.name": "s"], own: ["sandbox_id": "b"])
    SpanProvenance(guest: origin, AgentLimits()).mark(&span)
    #expect(
      texts(span, span.resource.attributes) == [
        "kata.claimed.sandbox.id": "a", "kata.claimed.guest.cid": "3", "service.name": "s",
        "kata.sandbox.id": "mine", "kata.guest.cid": "7",
      ])
  }

  /// No list of attributes grows over the limit by what the forwarder adds.
  @Test(arguments: [0, 1, 2, 3, 4, 5])
  func marksKeepTheLimit(_ limit: Int) {
    var origin = SpanOrigin(transport: .vsock)
    origin.cid = 7
    origin.sandbox = "mine"
    var limits = AgentLimits()
    limits.span.attributes = limit
    var span = span(["a": "1", "b": "2", "service.name": "s"])
    SpanProvenance(guest: origin, limits).mark(&span)
    let marked = texts(span, span.resource.attributes)
    #expect(marked["kata.sandbox.id"] == "mine" && marked["kata.guest.cid"] == "7")
    #expect(marked.count == max(2, min(limit, 5)))
    #expect(Int(span.resource.dropped) == 5 - marked.count)
  }

  /// Whatever keys a guest sends, none of the forwarder's own is among them, and no two become one.
  @Test func noSequenceOfNamesGetsThrough() {
    let names = [
      "kata.", "kata.claimed.", "kata.claimed", "kata.claimed.a", "kata.a", "kata", "katax", "Kata.a",
      "xkata.a", "",
    ]
    var span = span(Dictionary(uniqueKeysWithValues: names.map { ($0, $0) }))
    span.renameClaims()
    let renamed = texts(span, span.resource.attributes)
    #expect(renamed.count == names.count)
    #expect(renamed.keys.allSatisfy { !$0.hasPrefix("kata.") || $0.hasPrefix("kata.claimed.") })
    for (key, name) in renamed where name.hasPrefix("kata.") {
      #expect(key == "kata.claimed." + name.dropFirst(5))
    }
  }
}
