import CLinux
import Glibc
import Logging
import System

/// The sockets that the forwarder listens on, bound while it still has the rights for that, or handed over by systemd.
struct ListeningSockets {
  /// A socket that agents connect to.
  struct Agent: Sendable {
    var socket: BoundSocket
    var origin: SpanOrigin
  }

  private(set) var agents: [Agent] = []
  private(set) var jaeger: [BoundSocket] = []
  private(set) var otlp: [BoundSocket] = []
  private(set) var query: [BoundSocket] = []
  private(set) var metrics: [BoundSocket] = []
  /// This half's end of the connection to the privileged helper.
  private(set) var helper: BoundSocket?

  /// What could not be bound, and what to do about that.
  struct BindingFailure: Error, CustomStringConvertible {
    var description: String
  }

  init(_ options: ForwarderOptions, _ log: StructuredLog) throws(BindingFailure) {
    try ServiceManager.takeSockets { (file, name) throws(BindingFailure) in try adopt(file, name) }
    do throws(SystemCallError) {
      for path in options.socketPaths {
        let path = "\(path)_\(options.port)"
        let socket = try ListeningSocket.unix(path)
        let origin = SpanOrigin(transport: .hybrid, sandbox: options.socketSandbox, path: path)
        agents.append(Agent(socket: BoundSocket(socket), origin: origin))
      }
      if !options.templates.isEmpty {
        helper = BoundSocket(
          try SandboxHelper.start(options.templates, port: options.port, level: options.logLevel))
      }
    } catch {
      throw BindingFailure(description: error.description)
    }
    try bindVSOCK(options, log)
    if jaeger.isEmpty { jaeger = try tcp(options.jaegerReceiver, "--jaeger-receiver") }
    if otlp.isEmpty { otlp = try tcp(options.otlpReceiver, "--otlp-receiver") }
    if query.isEmpty { query = try tcp(options.query, "--query") }
    if metrics.isEmpty { try bindMetrics(options, log) }
  }

  /// Takes a socket from systemd by the name in its unit.
  private mutating func adopt(_ file: consuming FileDescriptor, _ name: String) throws(BindingFailure) {
    switch name {
    case "jaeger": jaeger.append(BoundSocket(file))
    case "otlp": otlp.append(BoundSocket(file))
    case "query": query.append(BoundSocket(file))
    case "metrics": metrics.append(BoundSocket(file))
    case "agents", "vsock", "hybrid":
      let origin = Self.origin(of: file)
      agents.append(Agent(socket: BoundSocket(file), origin: origin))
    default:
      throw BindingFailure(
        description:
          "the socket \"\(name)\" from the service manager is not used: name it agents, jaeger, otlp, query or metrics (FileDescriptorName=)"
      )
    }
  }

  /// What a socket that systemd bound says of the agents that connect to it.
  private static func origin(of file: borrowing FileDescriptor) -> SpanOrigin {
    var family: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    _ = getsockopt(file.number, SOL_SOCKET, SO_DOMAIN, &family, &length)
    return SpanOrigin(
      transport: family == AF_VSOCK ? .vsock : .hybrid, path: ListeningSocket.path(of: file))
  }

  private mutating func bindVSOCK(_ options: ForwarderOptions, _ log: StructuredLog) throws(BindingFailure) {
    guard let vsock = options.vsock, !hasVSOCK else { return }
    do throws(SystemCallError) {
      let socket = try ListeningSocket.vsock(cid: vsock.cid, port: options.port)
      agents.append(Agent(socket: BoundSocket(socket), origin: SpanOrigin(transport: .vsock)))
    } catch {
      let remedy =
        switch error.code {
        case EADDRINUSE: "another process listens there: end it, or choose another --vsock-port"
        case EADDRNOTAVAIL: "this machine has no such context id: use --vsock-cid any"
        default: "load the kernel's module vhost_vsock, or turn this receiver off with --vsock=false"
        }
      let hasOther = !options.socketPaths.isEmpty || !options.templates.isEmpty
      guard !vsock.isRequired, error.code != EADDRINUSE || hasOther else {
        throw BindingFailure(description: "\(error.description); \(remedy)")
      }
      log.warning("agents over VSOCK are not received", ["error": error.description, "remedy": remedy])
    }
  }

  /// Whether agents are received over standard VSOCK.
  var hasVSOCK: Bool { has(.vsock) }

  private func has(_ transport: AgentTransport) -> Bool {
    agents.contains { $0.origin.transport == transport }
  }

  /// The receivers that are off, each with the option that turns it on.
  var off: [String] {
    var result: [String] = []
    if !hasVSOCK { result.append("VSOCK (--vsock)") }
    if !has(.hybrid), helper == nil { result.append("hybrid VSOCK (--socket-path-template)") }
    if jaeger.isEmpty { result.append("Jaeger's Thrift (--jaeger-receiver)") }
    if otlp.isEmpty { result.append("OTLP (--otlp-receiver)") }
    return result
  }

  private func tcp(_ address: SocketAddress?, _ option: String) throws(BindingFailure) -> [BoundSocket] {
    guard let address else { return [] }
    do throws(SystemCallError) { return [BoundSocket(try ListeningSocket.tcp(address))] } catch {
      let remedy =
        error.code == EADDRINUSE
        ? "; another process has the port: choose another with \(option), or off" : ""
      throw BindingFailure(description: error.description + remedy)
    }
  }

  private mutating func bindMetrics(_ options: ForwarderOptions, _ log: StructuredLog) throws(BindingFailure)
  {
    do throws(BindingFailure) { metrics = try tcp(options.metrics, "--metrics") } catch {
      if options.metricsIsRequired { throw error }
      log.warning("metrics are not served", ["error": error.description])
    }
  }
}
