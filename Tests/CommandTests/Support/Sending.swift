import Foundation

/// Sends an agent's bytes to a forwarder over a connection of their own.
func send(_ data: Data, to forwarder: ForwarderProcess) throws {
  try send(data, to: forwarder.agentSocket)
}

/// Sends an agent's bytes to the Unix socket at a path over a connection of their own.
func send(_ data: Data, to path: String) throws {
  let agent = try LocalSocket(path: path)
  try agent.write(data)
  agent.endWriting()
}

/// The names of spans that ``Frames/spans(trace:_:padding:)`` makes.
func names(_ trace: UInt64, _ ids: Range<UInt64>) -> [SpanName] {
  ids.map { Frames.name(trace: trace, span: $0) }
}
