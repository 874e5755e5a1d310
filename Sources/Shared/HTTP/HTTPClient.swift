import System

/// Posts bodies over HTTP and HTTPS by libcurl, which is loaded when the first collector is named.
///
/// Foundation's networking is a layer over the same library. Linked in, it makes a program of nothing else take 15 MiB
/// when it starts, 26 MiB after its first request, and ten times as long to start, for it needs libcurl and what that
/// needs at every start; it also hides Retry-After and the choice of authorities. So libcurl is called itself.
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
    /// A file of certificates to trust in the place of the system's.
    package var authorities: String?

    package init(url: String) { self.url = url }
  }

  /// What the server answered.
  package struct Answer {
    package var status: Int
    /// Seconds to wait, as the server asked.
    package var retryAfter: Int?
    /// Where a redirect leads; none is followed.
    package var location: String?
    package var body: [UInt8]
  }

  /// Why there was no answer, in libcurl's words.
  package struct Failure: Error {
    /// What went wrong, as far as that tells what to do.
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
  ///   - userAgent: what servers are told that the client is.
  ///   - deadline: a request that is under way then is given up.
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
    // No `Expect: 100-continue`: a collector that is slow to answer it would cost a second a batch.
    let fields = [(name: "Content-Type", value: type), (name: "Expect", value: "")] + options.headers
    let response = try handle.post(
      CurlHandle.Request(
        url: options.url, userAgent: userAgent, fields: fields.map { "\($0.name): \($0.value)" },
        credentials: options.credentials, authorities: options.authorities, timeout: options.timeout,
        body: body),
      until: deadline)
    // What libcurl takes for an answer that ends there, whatever the status was to mean.
    guard response.hasHead else {
      throw Failure(reason: "the response header was cut off", kind: .connection)
    }
    return Answer(
      status: response.status,
      retryAfter: response.retryAfter > 0 ? Int(min(response.retryAfter, Self.longestPause)) : nil,
      location: response.location, body: response.body)
  }
}
