import CommandLine

extension ForwarderFlags {
  private static var section: String { "Exporters" }

  /// Where spans go.
  static var exporters: [Flag<Settings>] {
    [
      Flag(
        "otlp-endpoint", nil, .text("URL"), in: section, "Send spans to a collector by OTLP over HTTP",
        detail:
          "Such as http://collector:4318 or https://collector/v1/traces; /v1/traces is added to a URL without a path. Spans wait in the spool until the collector accepts them: failed requests are retried with growing pauses, or as Retry-After says. A single span that is still refused (400, 413, 422) while others are accepted is set aside. The URL must not lead to one of this forwarder's own receivers."
      ) { (settings, text) throws(UsageError) in settings.otlpEndpoint = text },
      Flag(
        "otlp-logs-endpoint", nil, .text("URL"), in: section,
        "Post log records to a collector with OTLP over HTTP",
        detail:
          "Log records that --otlp-receiver receives at /v1/logs are posted here. The default is --otlp-endpoint with /v1/logs instead of /v1/traces; without either, log records are not accepted. /v1/logs is added to a URL without a path."
      ) { (settings, text) throws(UsageError) in settings.otlpLogsEndpoint = text },
      Flag(
        "otlp-protocol", nil, .choice("NAME", ["http/protobuf", "http/json"]), in: section,
        "Set the OTLP encoding", detail: "The default is http/protobuf."
      ) { (settings, text) throws(UsageError) in
        settings.options.otlpUsesJSON = text == "http/json"
        settings.usesOTLPOption = "--otlp-protocol"
      },
      Flag(
        "otlp-header", nil, .text("NAME=VALUE"), in: section, repeatable: true,
        "Add a header to each request",
        detail: "Such as Authorization=\"Bearer ...\"."
      ) { (settings, text) throws(UsageError) in
        settings.otlp.headers.append(try header(text))
        settings.usesOTLPOption = "--otlp-header"
      },
      Flag(
        "jaeger-endpoint", nil, .text("URL"), in: section,
        "Send spans to a collector as Jaeger Thrift over HTTP",
        detail: "Such as http://collector:14268; /api/traces is added to a URL without a path."
      ) { (settings, text) throws(UsageError) in settings.jaegerEndpoint = text },
      Flag(
        "jaeger-user", nil, .text("NAME:PASSWORD"), in: section,
        "Set the user and password for --jaeger-endpoint"
      ) { (settings, text) throws(UsageError) in settings.jaegerUser = text },
      Flag(
        "collector-timeout", nil, .text("TIME"), in: section, "Timeout of a request to a collector",
        detail: "The default is 10s."
      ) { (settings, text) throws(UsageError) in settings.otlp.timeout = max(1, try milliseconds(text)) },
      Flag(
        "collector-ca-file", nil, .file("FILE"), in: section,
        "Trust these CA certificates for https, not the system's", detail: "A PEM file."
      ) { (settings, text) throws(UsageError) in settings.otlp.authorities = text },
      Flag(
        "jaeger-host", nil, .text("HOST"), in: section, "Send spans to a Jaeger agent over UDP",
        detail:
          "In Thrift's compact protocol, in datagrams of at most 65,000 bytes. UDP does not report losses. The default is 127.0.0.1 when --jaeger-port is given."
      ) { (settings, text) throws(UsageError) in settings.jaegerHost = text },
      Flag(
        "jaeger-port", nil, .text("PORT"), in: section, "Send spans to this port of the Jaeger agent",
        detail: "The default is 6831 when --jaeger-host is given."
      ) { (settings, text) throws(UsageError) in
        settings.jaegerPort = UInt16(try FlagValue.number(text, 1...65535))
      },
      Flag(
        "dump-only", in: section, "Print spans to standard output and forward nothing",
        detail: "A readable summary of a few lines per span.", sets: \.options.dumpsOnly),
      Flag(
        "batch-spans", nil, .text("N"), in: section, "Maximum number of spans in a batch",
        detail: "From 1 to 100,000; the default is 512."
      ) { (settings, text) throws(UsageError) in
        settings.options.worker.batchSpans = try FlagValue.number(text, 1...100_000)
      },
      Flag(
        "batch-size", nil, .text("SIZE"), in: section, "Maximum size of a batch",
        detail: "From 4K to 64M; the default is 1M. A single larger span is sent by itself."
      ) { (settings, text) throws(UsageError) in
        settings.options.worker.batchBytes = try FlagValue.size(text, 4 << 10...64 << 20)
      },
      Flag(
        "retry-pause", nil, .text("TIME"), in: section, "Set the longest pause between delivery attempts",
        detail: "Pauses begin at 250ms and double; the default is 30s."
      ) { (settings, text) throws(UsageError) in
        settings.options.worker.longestPause = max(1, try milliseconds(text))
        settings.options.worker.firstPause = min(250, settings.options.worker.longestPause)
      },
    ]
  }

  private static func header(_ text: String) throws(UsageError) -> (name: String, value: String) {
    guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
      throw UsageError("\"\(text)\" is not NAME=VALUE")
    }
    let name = text[..<sign]
    let value = text[text.index(after: sign)...]
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }),
      value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
    else { throw UsageError("\"\(name)\" or its value has a character that is not allowed in a header") }
    return (String(name), String(value))
  }

  private static var fileSection: String { "Files" }

  /// What is written to files, and how much of it stays.
  static var files: [Flag<Settings>] {
    [
      Flag(
        "jaeger-json", nil, .directory("DIR"), in: fileSection, "Write one Jaeger JSON file per trace",
        detail:
          "DIR/<trace id>.json, rewritten as spans arrive: every second, or less often for larger files (30s at most). Open it with Upload in the Jaeger UI."
      ) { (settings, text) throws(UsageError) in settings.options.jaegerDirectory = text },
      Flag(
        "jaeger-json-max-files", nil, .text("N"), in: fileSection, "Maximum number of trace files",
        detail: "The oldest are deleted. The default is 10000; 0 means no limit."
      ) { (settings, text) throws(UsageError) in settings.options.files.traces = try count(text) },
      Flag(
        "jaeger-json-max-size", nil, .text("SIZE"), in: fileSection,
        "Maximum size of all trace files",
        detail: "The default is 1G; 0 means no limit."
      ) { (settings, text) throws(UsageError) in settings.options.files.traceBytes = try sizeOrNone(text) },
      Flag(
        "jaeger-json-max-age", nil, .text("TIME"), in: fileSection, "Delete trace files after this time",
        detail: "Such as 12h or 7d; 0, the default, means no limit."
      ) { (settings, text) throws(UsageError) in settings.options.files.traceAge = try seconds(text) },
      Flag(
        "jaeger-json-file", nil, .file("FILE"), in: fileSection, "Write everything into one Jaeger JSON file",
        detail:
          "Written when the forwarder ends, on SIGHUP, and before it is rotated; until then the spans wait in FILE.partial."
      ) { (settings, text) throws(UsageError) in settings.options.jaegerFile = text },
      Flag(
        "otlp-json-file", nil, .file("FILE"), in: fileSection,
        "Append spans as OTLP JSON, one object per line",
        detail:
          "The format of the OpenTelemetry Collector's file exporter and receiver. SIGHUP reopens it."
      ) { (settings, text) throws(UsageError) in settings.options.otlpFile = text },
      Flag(
        "rotate-size", nil, .text("SIZE"), in: fileSection, "Rotate a growing file at this size",
        detail:
          "FILE becomes FILE.1, that FILE.2, and so on. No file exceeds this size, except for a single larger span. The default is 100M; 0 disables rotation by size."
      ) { (settings, text) throws(UsageError) in
        settings.options.files.rotation.maximumSize = try sizeOrNone(text)
      },
      Flag(
        "rotate-age", nil, .text("TIME"), in: fileSection, "Rotate a growing file after this time",
        detail: "Such as 24h; 0, the default, disables rotation by age."
      ) { (settings, text) throws(UsageError) in
        settings.options.files.rotation.maximumAge = try seconds(text)
      },
      Flag(
        "rotate-keep", nil, .text("N"), in: fileSection, "Number of rotated files to keep",
        detail: "The default is 5."
      ) { (settings, text) throws(UsageError) in
        settings.options.files.rotation.kept = try FlagValue.number(text, 0...1000)
      },
    ]
  }
}
