import Foundation
import TestSupport

/// A run of rotel, an OpenTelemetry collector.
final class Rotel: @unchecked Sendable {
  private let process = Process()
  let port: UInt16
  private let log: URL

  /// Relays what it accepts to `sink` as OTLP in protobuf.
  convenience init(sink: FakeCollector, in folder: TemporaryFolder) throws {
    try self.init(
      exporter: "otlp",
      ["--otlp-exporter-endpoint", sink.endpoint, "--otlp-exporter-protocol", "http"], in: folder)
  }

  /// Relays log records to a topic of the broker at `HOST:PORT`, each message as a list of ResourceLogs in JSON.
  convenience init(kafka broker: String, topic: String, in folder: TemporaryFolder) throws {
    try self.init(
      exporter: "kafka",
      [
        "--kafka-exporter-brokers", broker, "--kafka-exporter-logs-topic", topic, "--kafka-exporter-format",
        "json",
      ], in: folder)
  }

  private init(exporter: String, _ options: [String], in folder: TemporaryFolder) throws {
    let packages = Repository.path(".build/venv/lib")
    let python = try FileManager.default.contentsOfDirectory(atPath: packages).first {
      $0.hasPrefix("python3")
    }
    port = try Self.freePort()
    log = folder.url.appendingPathComponent("rotel.log")
    try Data().write(to: log)
    process.executableURL = URL(
      fileURLWithPath: "\(packages)/\(python ?? "python3")/site-packages/rotel/rotel-agent")
    process.arguments =
      [
        "start", "--otlp-http-endpoint", "127.0.0.1:\(port)", "--otlp-grpc-endpoint",
        "127.0.0.1:\(try Self.freePort())", "--exporter", exporter, "--batch-timeout", "100ms",
      ] + options
    process.currentDirectoryURL = folder.url
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: log)
    process.standardError = process.standardOutput
    try process.run()
    try Deadline.wait("rotel listens: \(text)") {
      (try? LocalSocket(port: port)) != nil || !process.isRunning
    }
    guard process.isRunning else { throw TestFailure(description: "rotel ended: \(text)") }
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  var endpoint: String { "http://127.0.0.1:\(port)" }
  private var text: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

  /// A port that nobody had a moment ago.
  static func freePort() throws -> UInt16 { try LocalSocket(listeningOn: 0).port }
}
