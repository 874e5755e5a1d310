import Foundation
import TestSupport
import Testing

/// From the log parser to a consumer of Kafka's protocol, over programs that others wrote: the OpenTelemetry collector
/// rotel, the broker Tansu, and Confluent's client.
@Suite(.ownThreads) struct KafkaRelayTests {
  /// A record's message, severity, event and trace, as they are in the log and as they come out.
  private struct Item: Hashable {
    var body: String
    var severity: Int
    var event: String
    var trace: String
    var span: String
  }

  private static let events = [
    (message: "VM started", name: "kata.sandbox.vm_started"),
    (message: "Container is started", name: "kata.container.started"),
  ]
  private static let levels = [("debug", 5), ("info", 9), ("warning", 13), ("error", 17), ("fatal", 21)]

  /// The lines of a log, and what is to come out.
  private static func story(_ count: Int) -> (log: String, items: [Item]) {
    var log = ""
    var items: [Item] = []
    for number in 0..<count {
      let event = number % 50 == 0 ? events[number / 50 % events.count] : nil
      let message = event?.message ?? "record \(number) é"
      let level = levels[number % levels.count]
      let trace = number % 3 == 0 ? String(format: "%032x", number + 1) : ""
      let span = trace.isEmpty ? "" : String(format: "%016x", number + 1)
      log +=
        "time=\"2026-03-05T05:01:54.\(String(format: "%09d", number))Z\" level=\(level.0) msg=\"\(message)\" name=kata pid=1 sandbox=s\(number % 4) source=runtime"
      if !trace.isEmpty { log += " trace_id=\(trace) span_id=\(span)" }
      log += "\n"
      items.append(
        Item(
          body: message, severity: level.1, event: event?.name ?? "", trace: trace,
          span: span
        ))
    }
    return (log, items)
  }

  /// The records of a message, which is a list of ResourceLogs in JSON.
  private static func items(_ message: Data) throws -> [Item] {
    func list(_ value: Any?, _ key: String) -> [[String: Any]] {
      (value as? [String: Any])?[key] as? [[String: Any]] ?? []
    }
    let resources = try #require(JSONSerialization.jsonObject(with: message) as? [[String: Any]])
    let records = resources.flatMap { list($0, "scopeLogs") }.flatMap { list($0, "logRecords") }
    return records.map { record in
      func text(_ key: String) -> String { record[key] as? String ?? "" }
      return Item(
        body: (record["body"] as? [String: Any])?["stringValue"] as? String ?? "",
        severity: record["severityNumber"] as? Int ?? 0, event: text("eventName"), trace: text("traceId"),
        span: text("spanId"))
    }
  }

  @Test func consumerReadsBackWhatTheParserSent() throws {
    let broker = try ScriptPeer("kafka-broker", environment: "venv-peers", ["kata-logs"])
    let folder = try TemporaryFolder()
    let rotel = try Rotel(kafka: "127.0.0.1:\(broker.port)", topic: "kata-logs", in: folder)
    let (log, sent) = Self.story(1200)
    let result = try Tool.run(["--endpoint", rotel.endpoint, "--stats", folder.write("log", log)])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.errorText.contains("\"acknowledged\":1200"))
    var read: [Item] = []
    try Deadline.wait("the records are read back: \(read.count)") {
      read = try broker.stored.flatMap { try Self.items(try #require(Data(base64Encoded: $0))) }
      return read.count >= sent.count
    }
    // In what order the collector's batches reach the broker, it does not say.
    let counts = { (items: [Item]) in Dictionary(items.map { ($0, 1) }) { $0 + $1 } }
    #expect(counts(read) == counts(sent))
    #expect(sent.filter { !$0.event.isEmpty }.count == 24)
  }
}
