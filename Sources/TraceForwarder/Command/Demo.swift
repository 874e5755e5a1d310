import Bytes
import CLinux
import Glibc
import Logging
import System
import Tracing

/// `kata-trace-forwarder demo`: the forwarder itself, in a temporary directory, and a built-in agent that sends one
/// sandbox's trace to it over a socket as a hypervisor would.
struct Demo {
  private var options: ForwarderOptions
  private let log: StructuredLog
  private let keepsSpool: Bool

  init(_ options: ForwarderOptions, _ log: StructuredLog, keepsSpool: Bool) {
    self.options = options
    self.log = log
    self.keepsSpool = keepsSpool
  }

  func run() -> Int32 {
    do throws(SystemCallError) {
      let directory = try TemporaryDirectory()
      var options = options
      // A demo uses nothing that the machine's real forwarder may be using.
      options.vsock = nil
      options.jaegerReceiver = nil
      options.otlpReceiver = nil
      options.metrics = nil
      options.user = nil
      options.socketPaths = ["\(directory.path)/demo.sock"]
      options.socketSandbox = DemoTrace.sandbox
      if !keepsSpool { options.spool.directory = directory.path }
      let path = "\(options.socketPaths[0])_\(options.port)"
      let log = log
      return withExtendedLifetime(directory) {
        Forwarder(options, log) { query in
          if let query { ForwarderCommand.say("\n  Traces: http://\(query)/\n  End with Ctrl-C.\n\n") }
          _ = WorkerThread.start { Self.send(to: path, log) }
        }.run()
      }
    } catch {
      log.error("the demo cannot start", ["error": error.description])
      return 1
    }
  }

  /// Sends the trace as an agent does, each span a frame; every other one as the older agents encode it.
  private static func send(to path: String, _ log: StructuredLog) {
    var frames = ByteWriter()
    for (index, span) in DemoTrace.spans(now: WallClock.nanoseconds).enumerated() {
      AgentFrame.append(span, as: index % 2 == 0 ? .json : .bincode, to: &frames)
    }
    do throws(SystemCallError) {
      let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard number >= 0 else { throw SystemCallError("socket", path) }
      let file = FileDescriptor(owning: number)
      guard kata_unix_socket(file.number, path, 1) == 0 else { throw SystemCallError("connect", path) }
      try file.writeAll(frames.bytes, subject: path)
    } catch {
      log.error("the demo's spans cannot be sent", ["error": error.description])
    }
  }
}

/// A sandbox's start, one command and its end, as recorded by the runtime and the agent. The times are made up.
enum DemoTrace {
  private struct Step {
    var depth: Int
    var service: String
    var name: String
    /// Milliseconds from the trace's start.
    var start: Double
    var duration: Double
    var kind = Span.Kind.internal
    var tags: KeyValuePairs<String, String> = [:]
    var error: String?
  }

  /// The sandbox whose trace it is.
  static let sandbox = "3f2a9c51d0e84b7c9a6e5f10b2c3d4e5"

  private static let steps: [Step] = [
    Step(depth: 0, service: "kata-runtime", name: "rootSpan", start: 0, duration: 2140),
    Step(depth: 1, service: "kata-runtime", name: "create", start: 3, duration: 1310),
    Step(depth: 2, service: "kata-runtime", name: "createSandboxFromConfig", start: 8, duration: 1290),
    Step(depth: 3, service: "kata-runtime", name: "createNetwork", start: 12, duration: 46),
    Step(
      depth: 3, service: "kata-runtime", name: "StartVM", start: 60, duration: 980,
      tags: ["hypervisor": "cloud-hypervisor", "vcpus": "1", "memory_mib": "2048"]),
    Step(
      depth: 4, service: "kata-agent", name: "setup_shared_namespaces", start: 905, duration: 9,
      tags: ["mod": "namespace", "busy_ns": "8100000", "idle_ns": "210000"]),
    Step(
      depth: 3, service: "kata-runtime", name: "createContainers", start: 1050, duration: 230),
    Step(
      depth: 4, service: "kata-runtime", name: "grpc.CreateContainer", start: 1080, duration: 170,
      kind: .client),
    Step(
      depth: 5, service: "kata-agent", name: "create_container", start: 1086, duration: 158, kind: .server,
      tags: ["mod": "rpc", "req": "container_id:\"3f2a9c51\""]),
    Step(depth: 1, service: "kata-runtime", name: "Start", start: 1330, duration: 120),
    Step(
      depth: 2, service: "kata-agent", name: "start_container", start: 1342, duration: 96, kind: .server,
      tags: ["mod": "rpc", "req": "container_id:\"3f2a9c51\""]),
    Step(depth: 1, service: "kata-runtime", name: "Exec", start: 1500, duration: 240),
    Step(
      depth: 2, service: "kata-agent", name: "exec_process", start: 1512, duration: 60, kind: .server,
      tags: ["mod": "rpc", "exec_id": "probe"], error: "ENOENT: no such file or directory: /bin/probe"),
    Step(depth: 1, service: "kata-runtime", name: "Stop", start: 1800, duration: 330),
    Step(depth: 2, service: "kata-runtime", name: "stopSandbox", start: 1812, duration: 300),
    Step(
      depth: 3, service: "kata-agent", name: "destroy_sandbox", start: 1820, duration: 130, kind: .server,
      tags: ["mod": "rpc"]),
    Step(depth: 3, service: "kata-runtime", name: "stopVM", start: 1955, duration: 150),
  ]

  /// - Parameter now: nanoseconds since 1970 at which the trace ends.
  static func spans(now: UInt64) -> [Span] {
    let traceID = TraceID(high: .random(in: 1 ... .max), low: .random(in: 1 ... .max))
    let begin = now - min(now, 2_140_000_000)
    var path: [SpanID] = []
    return steps.map { step in
      path.removeLast(max(0, path.count - step.depth))
      let id = SpanID(.random(in: 1 ... .max))
      defer { path.append(id) }
      return span(step, traceID, id, parent: path.last ?? SpanID(0), begin)
    }
  }

  private static func span(
    _ step: Step, _ traceID: TraceID, _ id: SpanID, parent: SpanID, _ begin: UInt64
  ) -> Span {
    var span = Span()
    span.traceID = traceID
    span.spanID = id
    span.parentID = parent
    span.flags = 1
    span.kind = step.kind
    span.name = span.intern(step.name)
    span.start = begin + UInt64(step.start * 1e6)
    span.end = span.start + UInt64(step.duration * 1e6)
    for (key, value) in step.tags {
      span.attributes.append(.init(span.intern(key), .string(span.intern(value))))
    }
    span.own = .init(0, span.attributes.count)
    if let error = step.error {
      span.status = .error
      span.statusMessage = span.intern(error)
      var event = Span.Event()
      event.name = span.intern("exception")
      event.time = span.end
      event.attributes = .init(span.attributes.count, 1)
      span.attributes.append(.init(span.intern("exception.message"), .string(span.intern(error))))
      span.events.append(event)
      span.agent.hasEvents = true
    }
    span.setResource("service.name", step.service)
    return span
  }
}
