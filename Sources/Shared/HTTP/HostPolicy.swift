import System

/// The hosts that a request may name to a server on a loopback address: this machine's own names, and allowed ones.
///
/// Any site can make its own name resolve to 127.0.0.1 (DNS rebinding). The browser then treats this server as that
/// site, whose scripts may read every answer; only the name in the request reveals it.
package struct HostPolicy: Sendable {
  private let names: Set<String>

  /// - Parameter names: hosts that are allowed besides `localhost` and loopback addresses, without a port.
  package init(_ names: [String]) { self.names = Set(names.map(Self.normalized)) }

  /// Nil when the request may be answered; else the host that it names, and the answer.
  package func refusal(of request: HTTPRequest) -> (host: String, response: HTTPResponse)? {
    let hosts = request.headers.filter { $0.name == "host" }.map(\.value)
    guard hosts.count <= 1 else {
      return (hosts.joined(separator: ", "), HTTPResponse(400, text: "the request names more than one host"))
    }
    // Only browsers can be tricked this way, and they always name a host.
    if let host = request.authority ?? hosts.first, !allows(host) {
      return (
        host,
        HTTPResponse(
          421,
          text:
            "unknown host in the Host header: this server accepts localhost and its own address; allow other names with --allowed-host"
        )
      )
    }
    // A foreign page may post without a preflight request if it does not read the answer.
    if request.method == "POST", let origin = request.header("origin"), !allows(origin: origin) {
      return (
        origin,
        HTTPResponse(
          403,
          text: "cross-origin POST refused; allow the host of the page with --allowed-host")
      )
    }
    return nil
  }

  private func allows(origin: String) -> Bool {
    for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
      return allows(String(origin.dropFirst(scheme.count)))
    }
    return false
  }

  /// - Parameter authority: a host as a name or an address, and perhaps a port.
  func allows(_ authority: String) -> Bool {
    let host = Self.normalized(Self.withoutPort(authority))
    return host == "localhost" || names.contains(host) || SocketReach.isLoopback(host)
  }

  private static func withoutPort(_ authority: String) -> String {
    guard let colon = authority.lastIndex(of: ":"),
      authority[authority.index(after: colon)...].utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return authority }
    let host = authority[..<colon]
    // The colons of a bare IPv6 address do not introduce a port; in a request it must have brackets.
    return host.contains(":") && !host.hasPrefix("[") ? authority : String(host)
  }

  /// In lower case, without the brackets of IPv6 and the final dot of a full name.
  private static func normalized(_ host: String) -> String {
    var host = host.lowercased()
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    if host.count > 1, host.hasSuffix(".") { host.removeLast() }
    return host
  }
}
