import System

/// The address of a Forward receiver: `tcp://HOST[:PORT]` or `unix://PATH`.
package enum ForwardEndpoint: Sendable, Equatable {
  case tcp(SocketAddress)
  case unix(String)

  /// The default port of Fluentd and Fluent Bit.
  package static let defaultPort: UInt16 = 24224

  /// Why a text is not an endpoint.
  package struct Problem: Error, Equatable {
    package var reason: String
  }

  package init(_ text: String) throws(Problem) {
    guard let mark = text.firstRange(of: "://") else {
      throw Problem(reason: "\"\(text)\" is not an endpoint: give tcp://HOST:PORT or unix:///PATH")
    }
    let rest = String(text[mark.upperBound...])
    switch text[..<mark.lowerBound] {
    case "unix":
      guard rest.hasPrefix("/") || rest.hasPrefix("@") else {
        throw Problem(reason: "\"\(text)\" has no absolute path: give unix:///PATH")
      }
      guard rest.utf8.count < 108 else {
        throw Problem(reason: "\"\(rest)\" is too long for a socket's path")
      }
      self = .unix(rest)
    case "tcp":
      let bare = rest.hasSuffix("/") ? String(rest.dropLast()) : rest
      guard !bare.contains("@"), !bare.contains("/") else {
        throw Problem(
          reason: "\"\(text)\" has more than a host and a port; give a user with --user and --password-file"
        )
      }
      self = .tcp(try Self.address(bare, text))
    case "tls", "ssl", "https":
      throw Problem(
        reason:
          "\"\(text)\": TLS is not supported; send to a local proxy, such as stunnel, or to a Unix socket of a local Fluent Bit"
      )
    default: throw Problem(reason: "\"\(text)\" is not an endpoint: give tcp://HOST:PORT or unix:///PATH")
    }
  }

  private static func address(_ text: String, _ whole: String) throws(Problem) -> SocketAddress {
    // A colon precedes a port only after the bracket of an IPv6 address, or if there is no bracket.
    let hasPort = text.split(separator: "]", omittingEmptySubsequences: false).last?.contains(":") ?? false
    guard let address = SocketAddress(hasPort ? text : "\(text):\(defaultPort)"), !text.isEmpty,
      !text.hasPrefix(":"),
      address.port > 0, !address.host.isEmpty
    else { throw Problem(reason: "\"\(whole)\" has no valid host and port: give tcp://HOST:PORT") }
    return address
  }

  package var isUnix: Bool { if case .unix = self { true } else { false } }

  package var name: String {
    switch self {
    case .tcp(let address): "tcp://\(address)"
    case .unix(let path): "unix://\(path)"
    }
  }
}

/// Options of the Forward protocol.
package struct ForwardOptions: Sendable {
  package var tag = "kata-containers"
  /// The key shared with the receiver; without it there is no handshake.
  package var sharedKey: [UInt8]?
  package var user = ""
  package var password: [UInt8] = []
  package var compresses = false
  /// Without acknowledgements, a record counts as delivered once it is handed to the system: at most once.
  package var wantsAcknowledgements = true
  /// This side's name in the handshake.
  package var hostName = HostName.current
  package init() {}
}
