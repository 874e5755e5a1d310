import Tracing

/// Says in each span where it is from, as far as the socket that it came over vouches for that.
///
/// `kata.*` is the forwarder's own namespace. What a guest, or another machine, writes into it is a claim, and is renamed to
/// `kata.claimed.*` before the forwarder adds what it knows. What a process of the host writes stays.
struct SpanProvenance {
  private let isTrusted: Bool
  private let marks: [Span.Mark]
  private let defaultService: Span.Mark
  private let limit: Int

  private static let service = Span.Mark("service.name", "")
  private static let sandbox = Span.Mark("kata.sandbox.id", "")
  /// What the Kata runtimes call the sandbox in their own spans.
  private static let runtimeSandbox = Span.Mark("sandbox_id", "")

  /// Of a guest's connection.
  init(guest origin: SpanOrigin, _ limits: AgentLimits) {
    isTrusted = false
    var marks: [Span.Mark] = []
    if let sandbox = origin.sandbox { marks.append(Span.Mark("kata.sandbox.id", sandbox)) }
    if let cid = origin.cid { marks.append(Span.Mark("kata.guest.cid", String(cid))) }
    self.marks = marks
    defaultService = Span.Mark("service.name", limits.defaultService)
    limit = limits.span.attributes
  }

  /// Of a receiver for the host.
  /// - Parameter isLocal: whether the peer is a process of this machine.
  init(receiver: String, isLocal: Bool, defaultService: String, _ limits: SpanLimits) {
    isTrusted = isLocal
    marks = [Span.Mark("kata.receiver", receiver)]
    self.defaultService = Span.Mark("service.name", defaultService)
    limit = limits.attributes
  }

  func mark(_ span: inout Span) {
    if !isTrusted { span.renameClaims() }
    let service = span.textValue(of: Self.service, in: span.resource.attributes)
    let needsService = service.map { $0.isEmpty } ?? true
    if !needsService, !isTrusted { return span.setResource(marks, limit: limit) }
    var marks = marks
    if needsService { marks.append(defaultService) }
    if isTrusted, let sandbox = runtimeSandbox(of: span) {
      marks.append(Span.Mark("kata.sandbox.id", sandbox))
    }
    span.setResource(marks, limit: limit)
  }

  /// The sandbox that a runtime's span names in the runtime's own way alone.
  private func runtimeSandbox(of span: borrowing Span) -> String? {
    let (own, resource) = (span.own, span.resource.attributes)
    guard !span.has(Self.sandbox, in: resource), !span.has(Self.sandbox, in: own),
      let piece = span.textValue(of: Self.runtimeSandbox, in: own)
        ?? span.textValue(of: Self.runtimeSandbox, in: resource),
      !piece.isEmpty
    else { return nil }
    return span.string(piece)
  }
}
