import Bytes
import HTTP

/// Posts requests to one collector; if one is not answered, or its spans must wait, it reports the reason and the
/// remedy. Its messages never contain a header's value or a credential.
final class CollectorPoster {
  private let client: HTTPClient
  private let secrets: Secrets

  init(_ context: ExporterContext, _ options: HTTPClient.Options) throws(ExportFailure) {
    var options = options
    options.headers.append((name: LoopGuard.header, value: context.instance))
    secrets = Secrets(options)
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
    guard CollectorAnswer(status: answer.status) == .held else { return answer }
    var reason = "the collector answered \(answer.status)"
    if let location = answer.location { reason += " to \(redacted(Self.place(location)))" }
    throw ExportFailure(
      reason, retryAfter: answer.retryAfter.map { $0 * 1000 },
      remedy: CollectorAnswer.remedy(answer.status), answer: text(of: answer))
  }

  /// The beginning of an answer's body, for the log.
  func text(of answer: HTTPClient.Answer) -> String {
    let text = redacted(String(decoding: answer.body, as: UTF8.self))
    let visible = text.unicodeScalars.map { $0.value >= 0x20 && $0.value != 0x7f ? $0 : " " }
    var result = String(String.UnicodeScalarView(visible))
    while result.utf8.count > 200 { result.removeLast(max(1, (result.utf8.count - 200) / 4)) }
    return result
  }

  func redacted(_ text: String) -> String { secrets.redacted(text) }

  /// A URL without credentials and without its query, which may have a token.
  static func place(_ url: String) -> String {
    let bare = url.prefix { $0 != "?" && $0 != "#" }
    guard let start = bare.firstRange(of: "://")?.upperBound else { return String(bare) }
    let end = bare[start...].firstIndex(of: "/") ?? bare.endIndex
    guard let sign = bare[start..<end].lastIndex(of: "@") else { return String(bare) }
    return String(bare[..<start] + bare[bare.index(after: sign)...])
  }
}

/// What must not appear in the log, although a collector may repeat it in an answer.
struct Secrets {
  private let texts: [String]

  init(_ options: HTTPClient.Options) {
    var texts: Set<String> = []
    for header in options.headers where header.name != LoopGuard.header {
      texts.insert(header.value)
      // The token of `Bearer TOKEN`.
      texts.formUnion(header.value.split(separator: " ").map(String.init))
    }
    var credentials = options.credentials.map { [$0] } ?? []
    if let start = options.url.firstRange(of: "://")?.upperBound {
      let authority = options.url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      if let sign = authority.lastIndex(of: "@") { credentials.append(String(authority[..<sign])) }
    }
    for pair in credentials {
      texts.insert(pair)
      // As the header of basic authentication has it.
      var encoded = ByteWriter(capacity: 256)
      Array(pair.utf8).withUnsafeBytes { Base64.put($0, to: &encoded) }
      texts.insert(encoded.string)
      if let colon = pair.firstIndex(of: ":") { texts.insert(String(pair[pair.index(after: colon)...])) }
    }
    // Shorter ones are words such as "Bearer", or would blacken half of a text.
    self.texts = texts.filter { $0.utf8.count >= 4 && $0 != "Bearer" && $0 != "Basic" }
      .sorted { $0.utf8.count > $1.utf8.count }
  }

  func redacted(_ text: String) -> String {
    texts.reduce(text) { $0.replacing($1, with: "[redacted]") }
  }
}
