import HTTP

/// Posts requests to one collector; if one is not answered, or its spans must wait, it reports the reason and the
/// remedy. Its messages never contain a header's value or a credential.
final class CollectorPoster {
  private let client: HTTPClient
  private let secrets: HTTPSecrets

  init(_ context: ExporterContext, _ options: HTTPClient.Options) throws(ExportFailure) {
    var options = options
    options.headers.append((name: LoopGuard.header, value: context.instance))
    secrets = HTTPSecrets(options, except: [LoopGuard.header])
    do throws(HTTPClient.Failure) {
      client = try HTTPClient(options, userAgent: "kata-trace-forwarder", deadline: context.deadline)
    } catch {
      throw ExportFailure(error.reason, remedy: error.kind.remedy)
    }
  }

  /// The answer, when it accepts or refuses the spans; every other one is a failure.
  func post(_ body: UnsafeRawBufferPointer, type: String) throws(ExportFailure) -> HTTPClient.Answer {
    let answer: HTTPClient.Answer
    do throws(HTTPClient.Failure) { answer = try client.post(Array(body), type: type) } catch {
      throw ExportFailure(redacted(error.reason), remedy: error.kind.remedy)
    }
    guard CollectorAnswer(answer) == .held else { return answer }
    var reason = "the collector answered \(answer.summary)"
    if let location = answer.location { reason += " to \(redacted(HTTPSecrets.place(location)))" }
    throw ExportFailure(
      reason, retryAfter: answer.retryAfter.map { $0 * 1000 },
      remedy: CollectorAnswer.remedy(answer.status), answer: text(of: answer))
  }

  /// The beginning of an answer's body, for the log.
  func text(of answer: HTTPClient.Answer) -> String { secrets.text(of: answer) }

  func redacted(_ text: String) -> String { secrets.redacted(text) }
}
