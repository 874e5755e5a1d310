import Bytes
import Glibc
import System

package enum LogLevel: String, CaseIterable, Sendable, Comparable {
  case trace, debug, info, warning, error

  package static func < (a: LogLevel, b: LogLevel) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }
}

/// The forwarder's own log on standard error: logfmt with the fields that every Kata component writes, so that
/// `kata-log-parser` reads it without a flag.
///
/// What guests cause is said at most ten times a minute for each guest; how many lines were left out is said then.
package final class ForwarderLog: Sendable {
  private struct Allowance {
    var minute: UInt64
    var count = 0
    var suppressed = 0
  }

  /// Nil writes nothing.
  private let level: LogLevel?
  private let allowances = Lock<[String: Allowance]>([:])
  private static let perMinute = 10

  package init(level: LogLevel?) { self.level = level }

  /// Writes nothing.
  package static let silent = ForwarderLog(level: nil)

  package func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write(.error, message, fields)
  }
  package func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write(.warning, message, fields)
  }
  package func warning(_ message: String, _ fields: [(String, String)]) { write(.warning, message, fields) }
  package func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
    write(.info, message, fields)
  }
  package func debug(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, String> = [:]) {
    if let level, level <= .debug { write(.debug, message(), fields) }
  }

  /// Says something that a peer can cause as often as it likes.
  package func limited(
    _ level: LogLevel, by peer: String, _ message: String, _ fields: KeyValuePairs<String, String> = [:]
  ) {
    limited(level, by: peer, message, fields.map { ($0.key, $0.value) })
  }

  package func limited(
    _ level: LogLevel, by peer: String, _ message: String, _ fields: [(String, String)]
  ) {
    let minute = MonotonicClock.nanoseconds / 60_000_000_000
    let suppressed: Int? = allowances.withLock { allowances in
      if allowances.count > 4096 { allowances.removeAll() }
      var allowance = allowances[peer] ?? Allowance(minute: minute)
      defer { allowances[peer] = allowance }
      if allowance.minute != minute {
        let left = allowance.suppressed
        allowance = Allowance(minute: minute, count: 1)
        return left
      }
      allowance.count += 1
      if allowance.count <= Self.perMinute { return 0 }
      allowance.suppressed += 1
      return nil
    }
    guard let suppressed else { return }
    if suppressed > 0 { write(.warning, "\(suppressed) lines about this peer were left out", ["peer": peer]) }
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
    out.put(string: level.rawValue)
    out.put(" msg=")
    out.put(json: Self.printable(message))
    out.put(" name=kata-trace-forwarder pid=")
    out.put(decimal: Int64(getpid()))
    out.put(" source=trace-forwarder")
    for (key, value) in fields {
      out.put(0x20)
      out.put(string: key)
      out.put(0x3d)
      let isPlain =
        !value.isEmpty
        && value.utf8.allSatisfy { byte in
          byte > 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x3d && byte != 0x5c
        }
      if isPlain { out.put(string: value) } else { out.put(json: Self.printable(value)) }
    }
    out.put(0x0a)
    try? FileDescriptor(borrowing: STDERR_FILENO).writeAll(out.bytes, subject: "standard error")
  }

  /// The text without what a terminal obeys and `kata-log-parser` refuses, of which a peer's or a collector's text can be
  /// full: controls but white space, invisible marks, and what looks like a mark of Go's formatting functions.
  static func printable(_ text: String) -> String {
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

  static func time(_ nanoseconds: UInt64 = WallClock.nanoseconds) -> String {
    Timestamp(seconds: Int64(nanoseconds / 1_000_000_000), nanoseconds: UInt32(nanoseconds % 1_000_000_000))
      .rfc3339
  }
}
