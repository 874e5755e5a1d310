import Testing

@testable import Tracing

/// Whether a link's span is remote: known to be, known not to be, or unknown.
@Suite struct LinkFlagTests {
  private func link(_ flags: UInt32, isRemote: Bool) -> Span {
    var span = PlainSpan(traceID: TraceID(1), spanID: SpanID(2), flags: 1)
    span.links = [
      PlainSpan.Link(traceID: TraceID(3), spanID: SpanID(4), flags: flags, isRemote: isRemote)
    ]
    return span.span
  }

  private static let formats: [RoundTripTests.Format] = [.protobuf, .json]

  @Test(arguments: [RoundTripTests.Format.bincode, .agentJSON], formats)
  func anAgentsLinkIsKnownToBeRemoteOrLocal(
    _ agent: RoundTripTests.Format, _ otlp: RoundTripTests.Format
  ) throws {
    for (isRemote, flags) in [(false, 0x101), (true, 0x301)] as [(Bool, UInt32)] {
      let decoded = try agent.decode(agent.encode(link(1, isRemote: isRemote)))
      #expect(decoded.links.first?.isRemote == isRemote)
      // The span's own flags say whether its parent is remote, which agents do not.
      #expect(decoded.flags == 1)
      let passed = try otlp.decode(otlp.encode(decoded))
      #expect(passed.links.first?.flags == flags)
      #expect(passed.links.first?.isRemote == isRemote)
      // And once more, as through the spool.
      #expect(try otlp.decode(otlp.encode(passed)).links.first?.flags == flags)
    }
  }

  @Test(arguments: formats) func anUnknownOneStaysUnknown(_ otlp: RoundTripTests.Format) throws {
    for flags in [0, 1, 0x100, 0x101, 0x300, 0x301] as [UInt32] {
      let passed = try otlp.decode(otlp.encode(link(flags, isRemote: flags & 0x300 == 0x300)))
      #expect(passed.links.first?.flags == flags)
      #expect(passed.links.first?.isRemote == (flags & 0x300 == 0x300))
    }
  }
}
