import Bytes
import Delivery
import HTTP
import System
import Tracing

/// Posts chunks of log records to a collector: OTLP over HTTP, in protobuf's binary form.
///
/// An entry of a chunk is a request with one record. The posted request has each resource and scope once; the same
/// chunk always gives the same bytes. An answer of 200 is the acknowledgement.
final class OTLPReceiver: Receiver {
  let name: String
  private let client: HTTPClient
  private let secrets: HTTPSecrets
  private var gzip: GzipEncoder?
  private var answer: Acknowledgement?
  /// Reused for each request.
  private var request = ByteWriter(capacity: 64 << 10)

  /// - Parameters:
  ///   - options: the URL, with its path, and the other options of each request.
  ///   - compresses: whether requests are compressed with gzip, unless the collector does not accept that.
  ///   - userAgent: the sender's name in requests.
  ///   - deadline: when a request in progress is given up.
  init(
    _ options: HTTPClient.Options, compresses: Bool, userAgent: String, deadline: StopDeadline
  ) throws(DeliveryFailure) {
    name = HTTPSecrets.place(options.url)
    secrets = HTTPSecrets(options)
    do throws(HTTPClient.Failure) {
      client = try HTTPClient(options, userAgent: userAgent, deadline: deadline)
    } catch {
      throw DeliveryFailure(.hopeless, error.reason)
    }
    if compresses {
      gzip = GzipEncoder()
      if gzip == nil {
        throw DeliveryFailure(
          .hopeless, "libz.so.1 cannot be loaded; install the package zlib1g, or leave out --gzip")
      }
    }
  }

  /// Posts a request without records, to see whether the collector answers and takes the credentials.
  func probe() throws(DeliveryFailure) {
    let reply = try post([], isCompressed: false)
    if case .accepted = CollectorAnswer(reply) { return }
    throw failure(.refused, reply, secrets.text(of: reply))
  }

  func send(_ chunk: Chunk, until deadline: Int) throws(DeliveryFailure) {
    answer = nil
    request.removeAll()
    // It is no larger than the entries are together.
    request.reserve(chunk.size)
    chunk.withPayload { OTLPLogs.group($0, to: &request) }
    let body = gzip.flatMap { $0.encode(request.bytes) }
    let reply = try post(body ?? request.array, isCompressed: body != nil)
    if body != nil, reply.status == 415 {
      // Not every collector accepts gzip, and it is optional.
      gzip = nil
      return try send(chunk, until: deadline)
    }
    answer = try acknowledgement(of: chunk, reply)
  }

  private func post(_ body: [UInt8], isCompressed: Bool) throws(DeliveryFailure) -> HTTPClient.Answer {
    do throws(HTTPClient.Failure) {
      return try client.post(
        body, type: "application/x-protobuf", encoding: isCompressed ? "gzip" : nil)
    } catch {
      let reason = "\(name): \(secrets.redacted(error.reason))"
      switch error.kind {
      case .name: throw DeliveryFailure(.unavailable, reason, remedy: "check the host name in the URL")
      case .encryption:
        throw DeliveryFailure(
          .misconfigured, reason,
          remedy: "check the URL's scheme and host name, and the authority with --collector-ca-file")
      case .connection where !error.wasConnected:
        throw DeliveryFailure(
          .unavailable, reason, remedy: "check that the collector is running, and the URL's port")
      default:
        throw DeliveryFailure(
          .unanswered, reason, remedy: "check that the collector is running and reachable")
      }
    }
  }

  /// What an answer says about a chunk; throws if the answer does not accept it.
  private func acknowledgement(
    of chunk: Chunk, _ reply: HTTPClient.Answer
  ) throws(DeliveryFailure) -> Acknowledgement {
    let text = secrets.text(of: reply)
    switch CollectorAnswer(reply) {
    case .accepted:
      let isJSON = reply.body.first == UInt8(ascii: "{")
      guard let part = OTLPResponse.partialSuccess(reply.body, isJSON: isJSON) else {
        return Acknowledgement(chunk.id)
      }
      let message = part.message.isEmpty ? nil : secrets.redacted(part.message)
      return Acknowledgement(chunk.id, rejected: part.rejected, message: message)
    case .refused:
      throw failure(reply.status == 413 ? .tooLarge : .refused, reply, text)
    case .held:
      let isBusy = reply.status == 408 || reply.status == 429 || reply.status >= 500
      throw failure(isBusy ? .unavailable : .misconfigured, reply, text)
    }
  }

  private func failure(
    _ kind: DeliveryFailure.Kind, _ reply: HTTPClient.Answer, _ text: String
  ) -> DeliveryFailure {
    var reason = "\(name) answered \(reply.summary)"
    if let location = reply.location { reason += " to \(secrets.redacted(HTTPSecrets.place(location)))" }
    return DeliveryFailure(
      kind, reason, remedy: CollectorAnswer.remedy(reply.status, of: "records"),
      answer: text.isEmpty ? nil : text,
      retryAfter: reply.retryAfter.map { $0 * 1000 })
  }

  func acknowledgements(
    until deadline: Int, orRaised wakeup: Wakeup?
  ) throws(DeliveryFailure) -> [Acknowledgement] {
    defer { answer = nil }
    return answer.map { [$0] } ?? []
  }
}
