import CommandLine
import Logging

extension ForwarderFlags {
  private static var querySection: String { "Query" }

  /// How traces are looked at without Jaeger.
  static var query: [Flag<Settings>] {
    [
      Flag(
        "query", nil, .text("ADDRESS"), in: querySection,
        "Serve Jaeger's query API and a page of traces here",
        detail:
          "For the Jaeger UI, Grafana's Jaeger data source, curl and browsers; traces are read from the spool. The default is 127.0.0.1:16686 if no exporter is given, and in demo mode; off turns it off. There is no authentication: listen on a loopback address, or behind a proxy that authenticates."
      ) { (settings, text) throws(UsageError) in
        settings.query = try listener(text)
        settings.isQueryOff = settings.query == nil
      },
      Flag(
        "query-keep", nil, .text("SIZE"), in: querySection, "Size of delivered spans to keep for queries",
        detail: "Part of --spool-max-size; the default is 256M, or half of that if it is less."
      ) { (settings, text) throws(UsageError) in settings.keptSize = try FlagValue.size(text, 0...1 << 50) },
      Flag(
        "query-max-unread", nil, .text("SIZE"), in: querySection,
        "Maximum size of answers that clients have not read",
        detail:
          "Total for all clients, plus one answer (32M at most). When the limit is reached, clients that read less than 256K a second are disconnected; if there are none, new queries for traces get 503 with Retry-After. From 64K; the default is 64M."
      ) { (settings, text) throws(UsageError) in
        settings.options.http.unreadBytes = try FlagValue.size(text, 64 << 10...1 << 40)
      },
      Flag(
        "query-max-traces", nil, .text("N"), in: querySection,
        "Maximum number of traces to keep for queries",
        detail: "Traces that have had no new spans for longest are dropped first. The default is 20000."
      ) { (settings, text) throws(UsageError) in
        settings.options.index.traces = try FlagValue.number(text, 1...10_000_000)
      },
      Flag(
        "query-max-spans", nil, .text("N"), in: querySection, "Maximum number of spans to keep for queries",
        detail: "A span takes 32 bytes of memory, a trace about 200. The default is 400000."
      ) { (settings, text) throws(UsageError) in
        settings.options.index.spans = try FlagValue.number(text, 1...1_000_000_000)
      },
    ]
  }

  private static var spoolSection: String { "Spool" }

  /// Where spans wait.
  static var spool: [Flag<Settings>] {
    [
      Flag(
        "spool-dir", nil, .directory("DIR"), in: spoolSection, "Keep spans here until they are delivered",
        detail:
          "Created if it does not exist. The default is spool in systemd's state directory, else /var/lib/kata-trace-forwarder/spool for root and ~/.local/state/kata-trace-forwarder/spool for others. With --dump-only it is a temporary directory."
      ) { (settings, text) throws(UsageError) in
        guard !text.isEmpty else { throw UsageError("the path is empty") }
        settings.spoolDirectory = text
      },
      Flag(
        "spool-max-size", nil, .text("SIZE"), in: spoolSection, "Maximum size of the spool",
        detail: "From 256K; the default is 1G."
      ) { (settings, text) throws(UsageError) in
        settings.options.spool.maximumSize = try FlagValue.size(text, 256 << 10...1 << 50)
      },
      Flag(
        "spool-segment-size", nil, .text("SIZE"), in: spoolSection,
        "Size of the spool's files",
        detail: "Files are deleted as a whole. From 64K to 1G; the default is 8M."
      ) { (settings, text) throws(UsageError) in
        settings.options.spool.segmentSize = try FlagValue.size(text, 64 << 10...1 << 30)
      },
      Flag(
        "spool-full", nil, .choice("POLICY", SpoolFullPolicy.allCases.map(\.rawValue)), in: spoolSection,
        "Policy for a full spool",
        detail:
          "block, the default, stops reading from guests and answers 503 to others until exporters catch up. drop-oldest deletes the oldest file of the spool and counts what was lost."
      ) { (settings, text) throws(UsageError) in
        settings.options.spool.policy = SpoolFullPolicy(rawValue: text) ?? .block
      },
      Flag(
        "spool-sync-interval", nil, .text("TIME"), in: spoolSection, "Sync the spool to disk this often",
        detail:
          "Spans received since the last sync may be lost if the machine crashes, but not if only the forwarder does. The default is 100ms; 0 syncs every write, before it is answered."
      ) { (settings, text) throws(UsageError) in
        settings.options.spool.syncInterval = try milliseconds(text)
      },
      Flag(
        "set-aside-size", nil, .text("SIZE"), in: spoolSection,
        "Disk space for spans that a destination refused permanently",
        detail:
          "They stay in the directory set-aside of the spool until they are sent again (kata-trace-forwarder spool resend) or their files are deleted. When they need more space, the oldest are deleted and counted as lost. From 64K; the default is 256M."
      ) { (settings, text) throws(UsageError) in
        settings.options.spool.setAsideSize = try FlagValue.size(text, 64 << 10...1 << 50)
      },
    ]
  }

  private static var commandSection: String { "The spool command" }

  /// Options of `kata-trace-forwarder spool`.
  static var spoolCommand: [Flag<Settings>] {
    [
      Flag("json", in: commandSection, "Print JSON", detail: "With spool list and spool verify.") {
        (settings, text) throws(UsageError) in
        settings.spool.isJSON = text == "true"
        settings.spoolOption = "--json"
      },
      Flag(
        "set-aside", in: commandSection, "Export the set-aside spans instead of the spool",
        detail: "With spool export."
      ) { (settings, text) throws(UsageError) in
        settings.spool.exportsSetAside = text == "true"
        settings.spoolOption = "--set-aside"
      },
      Flag(
        "format", nil, .choice("FORMAT", SpoolCommand.Format.allCases.map(\.rawValue)), in: commandSection,
        "Export format",
        detail:
          "With spool export. otlp-json, the default, has one span per line and can be read by the OpenTelemetry Collector's file receiver. jaeger-json is one document for the Jaeger UI."
      ) { (settings, text) throws(UsageError) in
        settings.spool.format = SpoolCommand.Format(rawValue: text) ?? .otlp
        settings.spoolOption = "--format"
      },
    ]
  }

  private static var serviceSection: String { "Service" }

  /// How the process lives.
  static var service: [Flag<Settings>] {
    [
      Flag(
        "allowed-host", nil, .text("NAME"), in: serviceSection, repeatable: true,
        "Accept HTTP requests for this host",
        detail:
          "A name or address without a port. Servers on loopback addresses accept only requests whose Host header names localhost, a loopback address or the configured listen host, which protects against DNS rebinding. Add the public name that a reverse proxy passes on. Other requests get 421."
      ) { (settings, text) throws(UsageError) in
        guard !text.isEmpty, !text.contains("/") else {
          throw UsageError("\"\(text)\" must be a host name or an address")
        }
        settings.options.allowedHosts.append(text)
      },
      Flag(
        "user", nil, .text("NAME"), in: serviceSection, "Become this user when started by root",
        detail:
          "Happens as soon as the fixed sockets are bound; with --socket-path-template, a helper process keeps the rights to make sockets and does nothing else. The default is nobody; root keeps root's rights. Output directories must be writable by this user; the spool's directory is given to it."
      ) { (settings, text) throws(UsageError) in settings.options.user = text == "root" ? nil : text },
      Flag(
        "metrics", nil, .text("ADDRESS"), in: serviceSection, "Serve /metrics, /healthz and /readyz here",
        detail:
          "/metrics has the Prometheus text format. The default is 127.0.0.1:9464, with a warning if the port is in use; off turns it off. The address of --query serves them as well."
      ) { (settings, text) throws(UsageError) in
        settings.options.metrics = try listener(text)
        settings.options.metricsIsRequired = true
      },
      Flag(
        "log-level", "l",
        .choice("LEVEL", ["trace", "debug", "info", "warn", "warning", "error", "critical"]),
        in: serviceSection, "Minimum level of log messages",
        detail: "The log goes to standard error, in logfmt. The default is info."
      ) { (settings, text) throws(UsageError) in
        // The forwarder writes nothing more severe than errors, which critical means as well.
        settings.options.logLevel = min(LogLevel(option: text) ?? .info, .error)
      },
      Flag(
        "stop-timeout", nil, .text("TIME"), in: serviceSection, "Deadline for shutdown",
        detail:
          "On SIGTERM or SIGINT the forwarder reads what agents have sent, delivers what it can and ends: with status 0 if everything is delivered, otherwise with 1 and the number of spans that wait in the spool. The default is 10s."
      ) { (settings, text) throws(UsageError) in settings.options.stopTimeout = try milliseconds(text) },
      Flag(
        "exit-idle-time", nil, .text("TIME"), in: serviceSection,
        "Exit after being idle for this long",
        detail:
          "Idle means that no agent is connected and no span arrives. For socket activation and scripts. 0, the default, disables this."
      ) { (settings, text) throws(UsageError) in settings.options.exitIdleTime = try milliseconds(text) },
    ]
  }
}
