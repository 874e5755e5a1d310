import Bytes
import Glibc
import System

/// A long-running tool's log on standard error: logfmt with the fields that every Kata component writes, so that
/// `kata-log-parser` reads it without a flag.
///
/// Messages that a guest causes are limited to ten a minute for each guest; the number of omitted lines is logged
/// later.
package final class StructuredLog: Sendable {
  /// Nil writes nothing.
  private let level: LogLevel?
  private let program: String
  private let source: String
  private let limit = RateLimit(perMinute: 10)
  private let write: @Sendable ([UInt8]) -> Void

  /// - Parameters:
  ///   - level: the least severe level that is written.
  ///   - program: the value of the field `name`.
  ///   - source: the value of the field `source`.
  ///   - write: takes a whole line with its end.
  package init(
    level: LogLevel?, program: String, source: String,
    write: @escaping @Sendable ([UInt8]) -> Void = { StandardError.write($0) }
  ) {
    self.level = level
    self.program = program
    self.source = source
    self.write = write
  }

  /// Writes nothing.
  package static let silent = StructuredLog(level: nil, program: "", source: "")

  /// Something failed that the tool cannot recover from by itself.
  package func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write(.error, message, fields)
  }

  /// Something is wrong, but the tool continues.
  package func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write(.warning, message, fields)
  }

  /// Something is wrong, but the tool continues.
  package func warning(_ message: String, _ fields: [(String, String)]) { write(.warning, message, fields) }

  /// A normal event of interest to an operator.
  package func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write(.info, message, fields)
  }

  /// Something that is needed only for debugging; the message is built only if it is written.
  package func debug(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, String> = [:]) {
    if let level, level <= .debug { write(.debug, message(), fields) }
  }

  /// Logs something that a peer can cause as often as it likes; limited for each peer.
  package func limited(
    _ level: LogLevel, by peer: String, _ message: String, _ fields: KeyValuePairs<String, String> = [:]
  ) {
    limited(level, by: peer, message, fields.map { ($0.key, $0.value) })
  }

  /// Logs something that a peer can cause as often as it likes; limited for each peer.
  package func limited(
    _ level: LogLevel, by peer: String, _ message: String, _ fields: [(String, String)]
  ) {
    guard let suppressed = limit.admit(peer, now: MonotonicClock.nanoseconds) else { return }
    if suppressed > 0 {
      write(.warning, "\(suppressed) lines about this peer were suppressed", ["peer": peer])
    }
    write(level, message, fields)
  }

  private func write(_ level: LogLevel, _ message: String, _ fields: KeyValuePairs<String, String>) {
    write(level, message, fields.map { ($0.key, $0.value) })
  }

  private func write(_ level: LogLevel, _ message: String, _ fields: [(String, String)]) {
    guard let least = self.level, level >= least else { return }
    var out = ByteWriter(capacity: 512)
    out.put("time=\"")
    out.put(string: Self.time())
    out.put("\" level=")
    out.put(string: level.name)
    out.put(" msg=")
    out.put(json: Self.printable(message))
    out.put(" name=")
    out.put(string: program)
    out.put(" pid=")
    out.put(decimal: Int64(getpid()))
    out.put(" source=")
    out.put(string: source)
    for (key, value) in fields {
      out.put(UInt8(ascii: " "))
      out.put(string: key)
      out.put(UInt8(ascii: "="))
      if Self.isPlain(value) { out.put(string: value) } else { out.put(json: Self.printable(value)) }
    }
    out.put(UInt8(ascii: "\n"))
    write(out.array)
  }

  /// Whether a value needs no quotes.
  private static func isPlain(_ value: String) -> Bool {
    !value.isEmpty
      && value.utf8.allSatisfy { byte in
        byte > UInt8(ascii: " ") && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
          && byte != UInt8(ascii: "\\")
      }
  }

  /// The text without what a terminal obeys and `kata-log-parser` refuses, which a peer's or a collector's text can
  /// contain: controls other than white space, invisible marks, and marks like those of Go's formatting functions.
  package static func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var last: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      if TerminalText.isShown(scalar) || ("\t"..."\r").contains(scalar) {
        if last == "%", scalar == "!" { result.append(" ") }
        result.append(scalar)
      } else {
        result.append("\u{fffd}")
      }
      last = scalar
    }
    return String(result)
  }

  private static func time() -> String {
    let now = WallClock.nanoseconds
    return Timestamp(seconds: Int64(now / 1_000_000_000), nanoseconds: UInt32(now % 1_000_000_000)).rfc3339
  }
}
