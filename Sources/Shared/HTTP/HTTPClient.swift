import System

/// Posts bodies over HTTP and HTTPS with libcurl, which is loaded when the first collector is configured.
///
/// Foundation's networking is a layer over the same library. An otherwise empty program linked with it takes 15 MiB at
/// start, 26 MiB after its first request, and ten times as long to start, because it loads libcurl and its dependencies
/// every time; it also hides Retry-After and the choice of certificate authorities. So libcurl is called directly.
///
/// One client belongs to one thread and keeps its connection open between requests.
package final class HTTPClient {
  /// Where to post to, and how.
  package struct Options: Sendable {
    package var url: String
    package var headers: [(name: String, value: String)] = []
    /// Milliseconds for a whole request.
    package var timeout = 10_000
    /// `name:password` of basic authentication.
    package var credentials: String?
    /// A file of certificates to trust instead of the system's.
    package var authorities: String?

    package init(url: String) { self.url = url }
  }

  /// The server's answer.
  package struct Answer {
    package var status: Int
    /// Seconds to wait, as the server asked.
    package var retryAfter: Int?
    /// Where a redirect leads; none is followed.
    package var location: String?
    package var body: [UInt8]
  }

  /// Why there was no answer, with libcurl's message.
  package struct Failure: Error {
    /// The kind of failure, which determines the remedy.
    package enum Kind {
      case name, connection, time, encryption, other

      /// libcurl's numbers are part of its stable interface.
      init(_ code: Int32) {
        switch code {
        case 5, 6: self = .name
        case 7, 52, 55, 56: self = .connection
        case 28: self = .time
        case 35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98: self = .encryption
        default: self = .other
        }
      }
    }

    package var reason: String
    package var kind = Kind.other
  }

  /// The most seconds that a server can ask to wait.
  private static let longestPause: Int64 = 3600

  private let handle: CurlHandle
  private let options: Options
  private let userAgent: String
  private let deadline: StopDeadline

  /// - Parameters:
  ///   - userAgent: the name of the client for servers.
  ///   - deadline: when it passes, a running request is aborted.
  package init(_ options: Options, userAgent: String, deadline: StopDeadline) throws(Failure) {
    self.options = options
    self.userAgent = userAgent
    self.deadline = deadline
    handle = try CurlHandle()
  }

  /// Posts a body, and waits for the answer.
  ///
  /// - Parameter type: the body's media type.
  package func post(_ body: [UInt8], type: String) throws(Failure) -> Answer {
    // No `Expect: 100-continue`: a collector that is slow to answer it would cost a second per batch.
    let fields = [(name: "Content-Type", value: type), (name: "Expect", value: "")] + options.headers
    let response = try handle.post(
      CurlHandle.Request(
        url: options.url, userAgent: userAgent, fields: fields.map { "\($0.name): \($0.value)" },
        credentials: options.credentials, authorities: options.authorities, timeout: options.timeout,
        body: body),
      until: deadline)
    // libcurl accepts such an answer, whatever its status would have been.
    guard response.hasHead else {
      throw Failure(reason: "the response header was cut off", kind: .connection)
    }
    return Answer(
      status: response.status,
      retryAfter: response.retryAfter > 0 ? Int(min(response.retryAfter, Self.longestPause)) : nil,
      location: response.location, body: response.body)
  }
}
