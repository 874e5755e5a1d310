import CLinux
import Glibc
import Logging
import System

/// The sockets that the forwarder listens on, bound while it still has the rights for that, or handed over by systemd.
///
/// Descriptors are numbers here: they are on their way to the threads that will own them.
struct ListeningSockets {
  private(set) var agents: [(number: Int32, origin: SpanOrigin)] = []
  private(set) var jaeger: [Int32] = []
  private(set) var otlp: [Int32] = []
  private(set) var query: [Int32] = []
  private(set) var metrics: [Int32] = []
  /// This half's end of the connection to the privileged helper.
  private(set) var helper: Int32?

  /// What could not be bound, and what to do about that.
  struct Problem: Error, CustomStringConvertible {
    var description: String
  }

  init(_ options: ForwarderOptions, _ log: StructuredLog) throws(Problem) {
    try adopt(ServiceManager.sockets())
    do throws(SystemCallError) {
      for path in options.socketPaths {
        let path = "\(path)_\(options.port)"
        let socket = try ListeningSocket.unix(path)
        agents.append(
          (socket.release(), SpanOrigin(receiver: "hybrid", sandbox: options.socketSandbox, path: path)))
      }
      if !options.templates.isEmpty {
        helper = try SandboxHelper.start(options.templates, port: options.port, level: options.logLevel)
          .release()
      }
    } catch {
      throw Problem(description: error.description)
    }
    try bindVSOCK(options, log)
    if jaeger.isEmpty { jaeger = try tcp(options.jaegerReceiver, "--jaeger-receiver") }
    if otlp.isEmpty { otlp = try tcp(options.otlpReceiver, "--otlp-receiver") }
    if query.isEmpty { query = try tcp(options.query, "--query") }
    if metrics.isEmpty { try bindMetrics(options, log) }
  }

  /// Takes systemd's sockets by the names that their units give them.
  private mutating func adopt(_ sockets: [(number: Int32, name: String)]) throws(Problem) {
    for (number, name) in sockets {
      switch name {
      case "jaeger": jaeger.append(number)
      case "otlp": otlp.append(number)
      case "query": query.append(number)
      case "metrics": metrics.append(number)
      case "agents", "vsock", "hybrid":
        var family: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = getsockopt(number, SOL_SOCKET, SO_DOMAIN, &family, &length)
        let receiver = family == AF_VSOCK ? "vsock" : "hybrid"
        agents.append((number, SpanOrigin(receiver: receiver, path: Self.path(of: number))))
      default:
        throw Problem(
          description:
            "the socket \"\(name)\" of the service manager has no use: name it agents, jaeger, otlp, query or metrics (FileDescriptorName=)"
        )
      }
    }
  }

  private mutating func bindVSOCK(_ options: ForwarderOptions, _ log: StructuredLog) throws(Problem) {
    guard let vsock = options.vsock, !agents.contains(where: { $0.origin.receiver == "vsock" }) else {
      return
    }
    do throws(SystemCallError) {
      let socket = try ListeningSocket.vsock(cid: vsock.cid, port: options.port)
      agents.append((socket.release(), SpanOrigin(receiver: "vsock")))
    } catch {
      let remedy =
        switch error.code {
        case EADDRINUSE: "another process listens there: end it, or choose another --vsock-port"
        case EADDRNOTAVAIL: "this machine has no such context id: use --vsock-cid any"
        default: "load the kernel's module vhost_vsock, or turn this receiver off with --vsock=false"
        }
      let hasOther = !options.socketPaths.isEmpty || !options.templates.isEmpty
      guard !vsock.isRequired, error.code != EADDRINUSE || hasOther else {
        throw Problem(description: "\(error.description); \(remedy)")
      }
      log.warning("agents over VSOCK are not received", ["error": error.description, "remedy": remedy])
    }
  }

  /// Whether agents are received over standard VSOCK.
  var hasVSOCK: Bool { has("vsock") }

  private func has(_ receiver: String) -> Bool { agents.contains { $0.origin.receiver == receiver } }

  /// The receivers that are off, each with the option that turns it on.
  var off: [String] {
    var result: [String] = []
    if !hasVSOCK { result.append("VSOCK (--vsock)") }
    if !has("hybrid"), helper == nil { result.append("hybrid VSOCK (--socket-path-template)") }
    if jaeger.isEmpty { result.append("Jaeger's Thrift (--jaeger-receiver)") }
    if otlp.isEmpty { result.append("OTLP (--otlp-receiver)") }
    return result
  }

  private func tcp(_ address: SocketAddress?, _ option: String) throws(Problem) -> [Int32] {
    guard let address else { return [] }
    do throws(SystemCallError) { return [try ListeningSocket.tcp(address).release()] } catch {
      let remedy =
        error.code == EADDRINUSE
        ? "; another process has the port: choose another with \(option), or off" : ""
      throw Problem(description: error.description + remedy)
    }
  }

  private mutating func bindMetrics(_ options: ForwarderOptions, _ log: StructuredLog) throws(Problem) {
    do throws(Problem) { metrics = try tcp(options.metrics, "--metrics") } catch {
      if options.metricsIsRequired { throw error }
      log.warning("metrics are not served", ["error": error.description])
    }
  }

  /// Where a Unix socket is; nil for others.
  private static func path(of number: Int32) -> String? {
    var address = sockaddr_un()
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
    }
    guard code == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
    let path = withUnsafeBytes(of: address.sun_path) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return path.isEmpty ? nil : path
  }

  /// The port that a listener has, for when the system chose it.
  static func port(of number: Int32) -> UInt16 {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
    }
    guard code == 0 else { return 0 }
    // The port is in the same place in both families' addresses, behind the family.
    return withUnsafeBytes(of: address) { UInt16($0[2]) << 8 | UInt16($0[3]) }
  }
}
