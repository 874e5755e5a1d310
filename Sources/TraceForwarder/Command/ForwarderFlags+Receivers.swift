import CommandLine

extension ForwarderFlags {
  private static var section: String { "Receivers" }

  /// Where spans come from.
  static var receivers: [Flag<Settings>] {
    [
      Flag(
        "vsock", in: section, "Receive agents over standard VSOCK",
        detail:
          "Used by QEMU guests. On by default, also together with --socket-path and --socket-path-template; if the kernel has no VSOCK, the forwarder then logs a warning. With --vsock or --vsock-cid that is an error. --vsock=false turns VSOCK off."
      ) { (settings, text) throws(UsageError) in settings.vsock = text == "true" },
      Flag(
        "vsock-cid", nil, .text("CID"), in: section, "Listen on this context id",
        detail: "A number, or any (the default)."
      ) { (settings, text) throws(UsageError) in
        guard let cid = text == "any" ? UInt32.max : UInt32(text) else {
          throw UsageError("\"\(text)\" is neither any nor a number from 0 to 4294967295")
        }
        settings.vsockCID = cid
      },
      Flag(
        "vsock-port", nil, .text("PORT"), in: section, "Receive agents on this VSOCK port",
        detail: "For standard and hybrid VSOCK alike; the default is 10240, where Kata's agents connect."
      ) { (settings, text) throws(UsageError) in
        guard let port = UInt32(text), port != .max else {
          throw UsageError("\"\(text)\" is not a port from 0 to 4294967294")
        }
        settings.options.port = port
      },
      Flag(
        "socket-path", nil, .file("PATH"), in: section, repeatable: true,
        "Receive agents over hybrid VSOCK at PATH_<port>",
        detail:
          "PATH is the VSOCK socket of Cloud Hypervisor or Firecracker. The hypervisor forwards a guest's connection to the Unix socket PATH_<port>, which must exist before the guest connects. Standard VSOCK stays on."
      ) { (settings, text) throws(UsageError) in
        guard !text.isEmpty else { throw UsageError("the path is empty") }
        settings.options.socketPaths.append(text)
      },
      Flag(
        "socket-path-template", nil, .text("TEMPLATE"), in: section, repeatable: true,
        "Listen for agents at this path for every sandbox",
        detail:
          "An absolute path with {ID} in place of the sandbox's id, such as /run/vc/vm/{ID}/clh.sock. The directory before {ID} is watched: a helper process, which keeps the rights for that, makes a socket when a sandbox's directory appears and removes it when the directory goes. Spans get the id as kata.sandbox.id. Standard VSOCK stays on."
      ) { (settings, text) throws(UsageError) in
        guard let template = SocketTemplate(text) else {
          throw UsageError("\"\(text)\" is not an absolute path that contains {ID} exactly once")
        }
        settings.options.templates.append(template)
      },
      Flag(
        "jaeger-receiver", nil, .text("ADDRESS"), in: section, "Receive Jaeger Thrift over HTTP here",
        detail:
          "POST /api/traces, where the Kata runtimes send their spans. The default is 127.0.0.1:14268, which is also the runtimes' default; off turns it off."
      ) { (settings, text) throws(UsageError) in settings.options.jaegerReceiver = try listener(text) },
      Flag(
        "otlp-receiver", nil, .text("ADDRESS"), in: section, "Receive OTLP over HTTP here",
        detail:
          "POST /v1/traces in protobuf or JSON, uncompressed. The default is 127.0.0.1:4318; off turns it off."
      ) { (settings, text) throws(UsageError) in settings.options.otlpReceiver = try listener(text) },
      Flag(
        "trace-name", nil, .text("NAME"), in: section, "Service name of spans that have none",
        detail: "The default is kata-agent."
      ) { (settings, text) throws(UsageError) in
        guard !text.isEmpty else { throw UsageError("the name is empty") }
        settings.options.agents.defaultService = text
      },
    ]
  }

  private static var limitSection: String { "Limits on what is received" }

  /// How much a sender may take.
  static var limits: [Flag<Settings>] {
    [
      Flag(
        "max-frame-size", nil, .text("SIZE"), in: limitSection,
        "Close connections that announce a larger frame",
        detail: "From 1K to 32M; the default is 4M."
      ) { (settings, text) throws(UsageError) in
        settings.options.agents.frameBytes = try FlagValue.size(text, 1 << 10...32 << 20)
      },
      Flag(
        "max-body-size", nil, .text("SIZE"), in: limitSection, "Refuse larger HTTP requests",
        detail: "From 1K to 256M; the default is 32M."
      ) { (settings, text) throws(UsageError) in
        settings.options.http.bodyBytes = try FlagValue.size(text, 1 << 10...256 << 20)
      },
      Flag(
        "max-attributes", nil, .text("N"), in: limitSection, "Refuse spans with more attributes",
        detail:
          "Counted separately for the span, its resource, each event and each link. The default is 1024."
      ) { (settings, text) throws(UsageError) in settings.options.agents.span.attributes = try count(text) },
      Flag(
        "max-events", nil, .text("N"), in: limitSection, "Refuse spans with more events",
        detail: "The default is 1024."
      ) { (settings, text) throws(UsageError) in settings.options.agents.span.events = try count(text) },
      Flag(
        "max-links", nil, .text("N"), in: limitSection, "Refuse spans with more links",
        detail: "The default is 1024."
      ) { (settings, text) throws(UsageError) in settings.options.agents.span.links = try count(text) },
      Flag(
        "max-string-size", nil, .text("SIZE"), in: limitSection, "Refuse spans with a longer text",
        detail: "The default is 1M."
      ) { (settings, text) throws(UsageError) in
        settings.options.agents.span.textBytes = try FlagValue.size(text, 1 << 4...32 << 20)
      },
      Flag(
        "max-connections", nil, .text("N"), in: limitSection, "Maximum number of agent connections",
        detail: "The default is 1024."
      ) { (settings, text) throws(UsageError) in
        settings.options.agents.connections = try FlagValue.number(text, 1...100_000)
      },
      Flag(
        "max-connections-per-guest", nil, .text("N"), in: limitSection,
        "Maximum number of connections per guest",
        detail: "The default is 16."
      ) { (settings, text) throws(UsageError) in
        settings.options.agents.connectionsPerGuest = try FlagValue.number(text, 1...100_000)
      },
      Flag(
        "max-http-connections", nil, .text("N"), in: limitSection, "Maximum number of HTTP connections",
        detail:
          "Separate limits for span receivers, metrics and queries. When a limit is reached, a new connection replaces the one that has been idle longest, or else the one whose request or answer has been stalled longest. The default is 256."
      ) { (settings, text) throws(UsageError) in
        settings.options.http.connections = try FlagValue.number(text, 1...100_000)
      },
      Flag(
        "max-buffered", nil, .text("SIZE"), in: limitSection,
        "Maximum size of incomplete frames and requests",
        detail: "Total for all agents; all HTTP connections together get half of it. The default is 256M."
      ) { (settings, text) throws(UsageError) in
        let size = try FlagValue.size(text, 1 << 20...1 << 40)
        settings.options.agents.bufferedBytes = size
        settings.options.http.bufferedBytes = size / 2
      },
      Flag(
        "idle-timeout", nil, .text("TIME"), in: limitSection,
        "Close agent connections that are idle for this long",
        detail: "0, the default, disables this: an agent without work sends nothing."
      ) { (settings, text) throws(UsageError) in settings.options.agents.idleTimeout = try milliseconds(text)
      },
      Flag(
        "frame-timeout", nil, .text("TIME"), in: limitSection,
        "Close connections whose frame takes longer to arrive", detail: "The default is 30s."
      ) { (settings, text) throws(UsageError) in
        settings.options.agents.frameTimeout = max(1, try milliseconds(text))
      },
    ]
  }
}
