import HTTP
import Logging
import System

/// The forwarder's options: the parsed and checked command line.
package struct ForwarderOptions: Sendable {
  /// Where agents are received over standard VSOCK.
  package struct VSOCK: Sendable {
    /// `UInt32.max` is any context id.
    package var cid = UInt32.max
    /// Whether the start fails where the kernel has no VSOCK, because an option asked for it by name.
    package var isRequired = false
  }

  /// Limits of the files that exporters write.
  package struct Files: Sendable {
    package var rotation = FileRotation()
    /// Of the directory with a file a trace: how many stay, their bytes and their seconds; 0 means no limit.
    package var traces = 10_000
    package var traceBytes = 1 << 30
    package var traceAge = 0
  }

  // Receivers
  package var port: UInt32 = 10240
  package var vsock: VSOCK? = VSOCK()
  package var socketPaths: [String] = []
  /// The sandbox whose agent connects to ``socketPaths``; nil except in the demonstration, as nothing else names it.
  package var socketSandbox: String?
  package var templates: [SocketTemplate] = []
  package var jaegerReceiver: SocketAddress? = SocketAddress(host: "127.0.0.1", port: 14268)
  package var otlpReceiver: SocketAddress? = SocketAddress(host: "127.0.0.1", port: 4318)
  package var agents = AgentLimits()
  package var http = HTTPLimits()
  /// Names beside their own that servers on loopback addresses answer to.
  package var allowedHosts: [String] = []

  // Exporters
  package var jaegerDirectory: String?
  package var jaegerFile: String?
  package var otlp: HTTPClient.Options?
  /// Whether OTLP is posted as JSON.
  package var otlpUsesJSON = false
  package var otlpFile: String?
  package var jaegerAgent: SocketAddress?
  package var jaegerCollector: HTTPClient.Options?
  package var dumpsOnly = false
  package var files = Files()
  package var worker = ExporterWorker.Pace()

  // Query
  package var query: SocketAddress?
  package var index = TraceIndex.Capacity()

  // Spool
  package var spool = SpoolOptions(directory: "")
  /// Whether the directory is temporary and is deleted when the forwarder ends.
  package var spoolIsTemporary = false

  // Service
  package var metrics: SocketAddress? = SocketAddress(host: "127.0.0.1", port: 9464)
  /// Whether another process on the port of the metrics is an error.
  package var metricsIsRequired = false
  /// Whom to become when started by root; nil to stay root.
  package var user: String? = "nobody"
  package var logLevel = LogLevel.info
  /// Milliseconds that a stop may take.
  package var stopTimeout = 10_000
  /// Milliseconds without an agent or a span after which the forwarder ends; 0 is never.
  package var exitIdleTime = 0

  package init() {}

  /// Hosts that requests may name to servers on loopback addresses.
  package var hosts: [String] {
    allowedHosts + [jaegerReceiver, otlpReceiver, query, metrics].compactMap { $0?.host }
  }

  /// Whether spans go anywhere but into the spool.
  package var hasExporters: Bool {
    jaegerDirectory != nil || jaegerFile != nil || otlp != nil || otlpFile != nil || jaegerAgent != nil
      || jaegerCollector != nil || dumpsOnly
  }

  /// Whether spans go to something that may send them on, and so back.
  package var sendsOverNetwork: Bool { otlp != nil || jaegerAgent != nil || jaegerCollector != nil }
}
