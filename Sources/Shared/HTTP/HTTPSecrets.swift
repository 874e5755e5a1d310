import Bytes

/// What must not appear in a log of what is posted, although a server may repeat it in an answer: credentials, and the
/// values of headers.
package struct HTTPSecrets {
  private let texts: [String]

  /// - Parameter headers: names of headers whose values are no secret.
  package init(_ options: HTTPClient.Options, except headers: [String] = []) {
    var texts: Set<String> = []
    for header in options.headers where !headers.contains(header.name) {
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

  package func redacted(_ text: String) -> String {
    texts.reduce(text) { $0.replacing($1, with: "[redacted]") }
  }

  /// The beginning of an answer's body, on one line.
  package func text(of answer: HTTPClient.Answer) -> String {
    let text = redacted(String(decoding: answer.body, as: UTF8.self))
    let visible = text.unicodeScalars.map { $0.value >= 0x20 && $0.value != 0x7f ? $0 : " " }
    var result = String(String.UnicodeScalarView(visible))
    while result.utf8.count > 200 { result.removeLast(max(1, (result.utf8.count - 200) / 4)) }
    return result
  }

  /// A URL without credentials and without its query, which may have a token.
  package static func place(_ url: String) -> String {
    let bare = url.prefix { $0 != "?" && $0 != "#" }
    guard let start = bare.firstRange(of: "://")?.upperBound else { return String(bare) }
    let end = bare[start...].firstIndex(of: "/") ?? bare.endIndex
    guard let sign = bare[start..<end].lastIndex(of: "@") else { return String(bare) }
    return String(bare[..<start] + bare[bare.index(after: sign)...])
  }
}
