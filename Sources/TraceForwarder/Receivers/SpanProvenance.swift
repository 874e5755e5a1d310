import Tracing

/// Marks each span with its origin, as far as the socket that it arrived on proves it.
///
/// `kata.*` is the forwarder's own namespace. Attributes of a guest or another machine in it are claims, and are
/// renamed to `kata.claimed.*` before the forwarder adds its own. Those of a process on the host are kept.
struct SpanProvenance {
  private let isTrusted: Bool
  private let marks: [Span.Mark]
  /// The same for a span without a service.
  private let marksWithService: [Span.Mark]
  private let limit: Int

  /// Of a guest's connection.
  init(guest origin: SpanOrigin, _ limits: AgentLimits) {
    isTrusted = false
    var marks: [Span.Mark] = []
    if let sandbox = origin.sandbox { marks.append(Span.Mark("kata.sandbox.id", sandbox)) }
    if let cid = origin.cid { marks.append(Span.Mark("kata.guest.cid", String(cid))) }
    self.marks = marks
    marksWithService = marks + [Span.Mark("service.name", limits.defaultService)]
    limit = limits.span.attributes
  }

  /// Of a receiver for the host.
  /// - Parameter isLocal: whether the peer is a process of this machine.
  init(receiver: String, isLocal: Bool, defaultService: String, _ limits: SpanLimits) {
    isTrusted = isLocal
    marks = [Span.Mark("kata.receiver", receiver)]
    marksWithService = marks + [Span.Mark("service.name", defaultService)]
    limit = limits.attributes
  }

  func mark(_ span: inout Span) {
    if !isTrusted { span.renameClaims() }
    let names = span.originNames
    // What the Kata runtimes call the sandbox in their own spans.
    let sandbox = isTrusted && !names.hasSandbox ? names.runtimeSandbox : .none
    span.setResource(names.service.isEmpty ? marksWithService : marks, sandbox: sandbox, limit: limit)
  }
}
