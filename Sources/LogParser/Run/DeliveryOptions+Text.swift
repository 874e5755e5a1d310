import CommandLine
import Delivery
import System

/// Parses receivers and secrets given by options and configuration files.
extension DeliveryOptions {
  /// Adds a receiver: `tcp://HOST:PORT` or `unix:///PATH` for the Forward protocol, `http://` or `https://` for OTLP.
  mutating func add(endpoint text: String) throws(UsageError) {
    if text.hasPrefix("http://") || text.hasPrefix("https://") {
      return collectors.append(try Self.collector(text))
    }
    do throws(ForwardEndpoint.Problem) { endpoints.append(try ForwardEndpoint(text)) } catch {
      throw UsageError(error.reason)
    }
  }

  /// Adds the headers in a file, one per line, to each OTLP request.
  mutating func addHeaders(ofFile path: String) throws(UsageError) {
    let lines = String(decoding: try Self.secret(path), as: UTF8.self).split(whereSeparator: \.isNewline)
    for line in lines { otlp.headers.append(try Self.header(String(line), separator: ":")) }
  }

  /// Keeps chunks within the limits of an OTLP request.
  mutating func limitChunks() {
    engine.chunk.count = OTLPBatches.recordLimit
    engine.chunk.size = min(engine.chunk.size, OTLPBatches.byteLimit)
  }

  /// The key or the password in a file that other users cannot read.
  static func secret(_ path: String) throws(UsageError) -> [UInt8] {
    do throws(SecretFile.Problem) { return try SecretFile.read(path) } catch {
      throw UsageError(error.reason)
    }
  }

  /// The URL of a collector; the standard path is added where there is none.
  private static func collector(_ text: String) throws(UsageError) -> String {
    let rest = text.drop { $0 != ":" }.dropFirst(3)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    guard !authority.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw UsageError("\"\(text)\" names no host: give http://HOST:4318")
    }
    let path = rest.dropFirst(authority.count)
    return path.isEmpty || path == "/"
      ? "\(text.hasSuffix("/") ? String(text.dropLast()) : text)/v1/logs" : text
  }

  static func header(
    _ text: String, separator: Character
  ) throws(UsageError) -> (name: String, value: String) {
    let form = separator == "=" ? "NAME=VALUE" : "NAME: VALUE"
    guard let sign = text.firstIndex(of: separator), sign > text.startIndex else {
      // A line of a header file is a secret, which a message must not show.
      throw UsageError(
        separator == "=" ? "\"\(text)\" is not \(form)" : "a line of the header file is not \(form)")
    }
    let name = text[..<sign]
    let value = text[text.index(after: sign)...].drop { $0 == " " }
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }),
      value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
    else { throw UsageError("\"\(name)\" or its value has a character that is not allowed in a header") }
    return (String(name), String(value))
  }
}
