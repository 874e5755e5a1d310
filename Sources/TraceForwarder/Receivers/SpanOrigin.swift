/// How an agent's connection reaches the host.
enum AgentTransport: String, Sendable {
  /// AF_VSOCK.
  case vsock = "vsock"
  /// A hypervisor's Unix socket, which is one guest's.
  case hybrid = "hybrid"
}

/// Where the spans of a connection come from.
struct SpanOrigin: Sendable, Hashable {
  /// What metrics and the log call the receiver.
  var transport: AgentTransport
  /// The sandbox, where the socket tells it.
  var sandbox: String?
  /// The guest's context id, over AF_VSOCK.
  var cid: UInt32?
  /// The path of a hybrid socket, which is one guest's.
  var path: String?

  /// The value of the label `receiver`.
  var receiver: String { transport.rawValue }

  /// What the log calls the peer, and what connections are counted by.
  var peer: String {
    if let sandbox { return "sandbox \(sandbox)" }
    if let cid { return "vsock:\(cid)" }
    return path ?? receiver
  }
}
