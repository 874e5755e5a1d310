import HTTP

extension HTTPClient.Failure.Kind {
  /// What an operator can do about it.
  var remedy: String? {
    switch self {
    case .name: "check the host name in the URL, and this machine's resolver"
    case .connection: "check that the collector is running, and the URL's port and scheme"
    case .time: "check that the collector is running and reachable, or raise --collector-timeout"
    case .encryption:
      "trust the authority that signed the collector's certificate with --collector-ca-file, and check the URL's host name and scheme"
    case .other: nil
    }
  }
}
