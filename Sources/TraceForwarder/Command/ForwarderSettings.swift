import CommandLine
import Glibc
import HTTP
import System

/// What the command line says, before it is checked as a whole.
struct ForwarderSettings {
  var options = ForwarderOptions()
  /// What to print instead of running.
  var request: CommandRequest?
  /// What `--vsock` or `--vsock=false` said; nil when neither was given.
  var vsock: Bool?
  var vsockCID: UInt32?
  var jaegerHost: String?
  var jaegerPort: UInt16?
  var otlpEndpoint: String?
  var otlp = HTTPClient.Options(url: "")
  var usesOTLPOption: String?
  var jaegerEndpoint: String?
  var jaegerUser: String?
  var spoolDirectory: String?
  var query: SocketAddress?
  var isQueryOff = false
  /// Bytes of delivered spans that stay for queries.
  var keptSize: Int?
  /// What `kata-trace-forwarder spool` is to do, and an option of it that was given.
  var spool = SpoolCommand.Options()
  var spoolOption: String?

  /// Refuses options that contradict each other, and derives the remaining settings.
  func resolved(isDemo: Bool = false) throws(UsageError) -> ForwarderOptions {
    var options = options
    if let spoolOption {
      throw UsageError("\(spoolOption) is an option of kata-trace-forwarder spool: put the word spool first")
    }
    // A node may run QEMU beside other hypervisors, so a path of a hybrid socket says nothing about standard VSOCK.
    options.vsock = (vsock ?? true) && !isDemo ? ForwarderOptions.VSOCK() : nil
    options.vsock?.cid = vsockCID ?? .max
    options.vsock?.isRequired = vsock == true || vsockCID != nil
    if jaegerHost != nil || jaegerPort != nil {
      options.jaegerAgent = SocketAddress(host: jaegerHost ?? "127.0.0.1", port: jaegerPort ?? 6831)
    }
    if let otlpEndpoint {
      options.otlp = otlp
      options.otlp?.url = try Self.otlpURL(otlpEndpoint)
    } else if let usesOTLPOption {
      throw UsageError("\(usesOTLPOption) applies to a collector: give --otlp-endpoint as well")
    }
    if let jaegerEndpoint {
      var collector = HTTPClient.Options(url: try Self.jaegerURL(jaegerEndpoint))
      collector.timeout = otlp.timeout
      collector.authorities = otlp.authorities
      collector.credentials = jaegerUser
      options.jaegerCollector = collector
    }
    if options.dumpsOnly,
      jaegerHost != nil || otlpEndpoint != nil || jaegerEndpoint != nil
        || options.jaegerDirectory != nil || options.jaegerFile != nil || options.otlpFile != nil
    {
      throw UsageError("--dump-only forwards nothing: leave out the exporters, or leave out --dump-only")
    }
    try setQuery(&options, isDemo: isDemo)
    setSpool(&options)
    return options
  }

  private func setQuery(_ options: inout ForwarderOptions, isDemo: Bool) throws(UsageError) {
    // Spans that go nowhere should at least be visible.
    options.query = isQueryOff ? nil : query
    if query == nil, !isQueryOff, isDemo || !options.hasExporters {
      options.query = SocketAddress(host: "127.0.0.1", port: 16686)
    }
    if options.query == nil, !options.hasExporters {
      throw UsageError("without an exporter or --query, spans would go nowhere: give one of them")
    }
    options.spool.keptSize =
      options.query == nil ? 0 : keptSize ?? min(256 << 20, options.spool.maximumSize / 2)
    if options.query == nil, keptSize != nil { throw UsageError("--query-keep needs --query") }
    if options.spool.segmentSize > options.spool.maximumSize / 2 {
      options.spool.segmentSize = max(64 << 10, options.spool.maximumSize / 4)
    }
  }

  private func setSpool(_ options: inout ForwarderOptions) {
    if let spoolDirectory {
      options.spool.directory = spoolDirectory
    } else if options.dumpsOnly {
      options.spoolIsTemporary = true
    } else {
      options.spool.directory = Self.standardSpool
    }
  }

  /// systemd's `StateDirectory=`, else the place for the state of root's services, else that of the user's.
  static var standardSpool: String {
    if let state = ServiceManager.variable("STATE_DIRECTORY"), !state.isEmpty {
      return "\(state.prefix { $0 != ":" })/spool"
    }
    if geteuid() == 0 { return "/var/lib/kata-trace-forwarder/spool" }
    if let state = ServiceManager.variable("XDG_STATE_HOME"), state.hasPrefix("/") {
      return "\(state)/kata-trace-forwarder/spool"
    }
    return "\(ServiceManager.variable("HOME") ?? "/tmp")/.local/state/kata-trace-forwarder/spool"
  }

  /// The traces' URL of a collector: the path is added where only a base is given, as OpenTelemetry's exporters do.
  static func otlpURL(_ text: String) throws(UsageError) -> String {
    let parts = try HTTPURLParts(text)
    if parts.port == 4317 {
      throw UsageError(
        "port 4317 is for OTLP over gRPC, which is not supported: give the collector's port for OTLP over HTTP, 4318"
      )
    }
    return parts.path.isEmpty || parts.path == "/" ? "\(parts.origin)/v1/traces" : text
  }

  static func jaegerURL(_ text: String) throws(UsageError) -> String {
    let parts = try HTTPURLParts(text)
    return parts.path.isEmpty || parts.path == "/" ? "\(parts.origin)/api/traces" : text
  }
}

/// The pieces of a URL that matter before a connection is made.
struct HTTPURLParts {
  var origin: String
  /// Without the brackets of an IPv6 address.
  var host: String
  var port: UInt16?
  var path: String

  init(_ text: String) throws(UsageError) {
    guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else {
      throw UsageError("\"\(text)\" is not a URL: it must begin with http:// or https://")
    }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !authority.isEmpty, !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
      throw UsageError("\"\(text)\" is not a URL with a host")
    }
    origin = scheme + authority
    path = String(rest.dropFirst(authority.count))
    let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority
    self.host = String(
      host.hasPrefix("[") ? host.dropFirst().prefix { $0 != "]" } : host.prefix { $0 != ":" })
    let digits = host.hasPrefix("[") ? host.drop { $0 != "]" }.dropFirst() : host[...]
    if let colon = digits.lastIndex(of: ":") {
      guard let number = UInt16(digits[digits.index(after: colon)...]), number > 0 else {
        throw UsageError("\"\(text)\" has no port from 1 to 65535")
      }
      port = number
    }
  }

  /// The port that a connection is made to.
  var effectivePort: UInt16 { port ?? (origin.hasPrefix("https:") ? 443 : 80) }
}
