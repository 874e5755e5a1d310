import Bytes
import Foundation
import TestSupport
import Testing
import Tracing

@testable import LogParser

/// Records as OTLP, read by OpenTelemetry's own classes.
@Suite(.ownThreads) struct OTLPRecordTests {
  private static let names = [
    "", "kata", "kata-agent", "kata-runtime", "containerd-shim-v2", "containerd", "kernel", "kata-monitor",
  ]
  private static let sources = ["", "agent", "virtcontainers", "vmconsole", "a/b"]
  private static let levels = ["", "info", "warning", "critical", "fatal", "panic", "debug", "nonsense"]
  private static let keys = [
    "subsystem", "version", "host", "_HOSTNAME", "pod", "pod_namespace", "trace_id", "span_id", "level",
    "line", "msg",
    "error", "x", "cursor", "é",
  ]

  /// A text that a hostile guest may have sent.
  private static func text(_ random: inout SplitMix64) -> [UInt8] {
    switch random.below(8) {
    case 0: return (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    case 1: return Array(repeating: UInt8(ascii: "a"), count: 100 + random.below(60))
    case 2: return Array(repeating: 0xff, count: 40 + random.below(20_000))
    case 3: return Array("00f067aa0ba902b7".utf8)
    case 4: return Array("4bf92f3577b34da6a3ce929d0e0E4736".utf8)
    case 5: return Array(repeating: UInt8(ascii: "0"), count: 32)
    case 6: return []
    default: return Array("a \"text\" with \\ and é, \u{2028} \u{1f600}\n".utf8)
    }
  }

  private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

  /// The texts of a record, by the names that the checker has for them.
  private static func texts(_ random: inout SplitMix64) -> [String: [UInt8]] {
    [
      "level": Array(random.pick(levels).utf8), "msg": text(&random),
      "source": random.oneIn(6) ? text(&random) : Array(random.pick(sources).utf8),
      "name": random.oneIn(6) ? text(&random) : Array(random.pick(names).utf8),
      "container": random.oneIn(2) ? [] : text(&random),
      "sandbox": random.oneIn(4) ? text(&random) : Array("sandbox".utf8),
    ]
  }

  /// Makes a record, and returns the same as a line that the checker reads.
  private static func make(_ random: inout SplitMix64, _ record: inout Record) -> [String: Any] {
    record.reset()
    let texts = texts(&random)
    record.level = record.arena.copy(texts["level"] ?? [])
    record.message = record.arena.copy(texts["msg"] ?? [])
    record.source = record.arena.copy(texts["source"] ?? [])
    record.name = record.arena.copy(texts["name"] ?? [])
    record.container = record.arena.copy(texts["container"] ?? [])
    record.sandbox = record.arena.copy(texts["sandbox"] ?? [])
    var truth: [String: Any] = texts.mapValues(base64)
    record.pid = random.oneIn(3) ? 0 : random.below(1 << 22)
    record.line = UInt64(random.below(1 << 20))
    let time = UInt64(1_772_686_914_000_000_000) + UInt64(random.below(1 << 30))
    let observed = random.oneIn(2) ? 0 : random.oneIn(3) ? time : time + 5_000_000
    record.time = Timestamp(seconds: Int64(time / 1_000_000_000), nanoseconds: UInt32(time % 1_000_000_000))
    if observed > 0 {
      record.observed = Timestamp(
        seconds: Int64(observed / 1_000_000_000), nanoseconds: UInt32(observed % 1_000_000_000))
    }
    if random.oneIn(5) { record.marks.insert(.timeIsInherited) }
    var fields: [[String]] = []
    for key in keys where random.oneIn(3) {
      let value = text(&random)
      record.setField(record.arena.copy(key), record.arena.copy(value))
      fields.append([base64(Array(key.utf8)), base64(value)])
    }
    record.fields.sortKeepingLast()
    truth["pid"] = record.pid
    truth["line"] = record.line
    truth["time"] = time
    truth["observed"] = observed
    truth["inherited"] = record.marks.contains(.timeIsInherited)
    truth["fields"] = fields
    return truth
  }

  @Test(.seeded) func openTelemetryReadsRecords() throws {
    var random = Seed.generator()
    var record = Record()
    var out = OutputBuffer()
    var truth = Data()
    let file = Array("/var/log/kata.log".utf8)
    let count = 700
    for number in 0..<count {
      var line = Self.make(&random, &record)
      let name = number % 3 == 0 ? [] : file
      line["file"] = Data(name).base64EncodedString()
      let place = RecordPlace(filename: record.arena.copy(name), count: UInt64(number), delta: 0)
      OTLPRecord.put(record, place, &out)
      truth += try JSONSerialization.data(withJSONObject: line) + Data("\n".utf8)
    }
    let folder = try TemporaryFolder()
    let single = Array(out.bytes)
    var grouped = ByteWriter()
    OTLPLogs.group(out.bytes, to: &grouped)
    var json = ByteWriter()
    try OTLPLogs.putJSON(grouped.bytes, to: &json)
    json.put(UInt8(ascii: "\n"))
    let arguments = [
      try folder.write("truth", truth), try folder.write("single.pb", Data(single)),
      try folder.write("grouped.pb", Data(grouped.array)), try folder.write("lines", Data(json.array)),
    ]
    let result = try Program.python(
      [Repository.path("Tests/Validators/check-otlp-logs.py")] + arguments, environment: "venv")
    #expect(result.status == 0, "\(result.errorText.suffix(2000))")
    #expect(result.text == "\(count) records\n")
    // What is grouped already, and JSON that is read back, are the same request.
    try expectSame(grouped.array, json.array.dropLast())
  }

  private func expectSame(_ grouped: [UInt8], _ json: ArraySlice<UInt8>) throws {
    var again = ByteWriter()
    grouped.withUnsafeBytes { OTLPLogs.group($0, to: &again) }
    #expect(again.array == grouped)
    var read = ByteWriter()
    let bytes = Array(json)
    try bytes.withPart(0..<bytes.count) { part throws(CodecError) in
      try OTLPLogs.putProtobuf(json: part, to: &read)
    }
    var back = ByteWriter()
    try OTLPLogs.putJSON(read.bytes, to: &back)
    #expect(back.array == Array(json))
  }

  @Test func batchesAreBounded() throws {
    var record = Record()
    var out = OutputBuffer()
    var sizes: [Int] = []
    for number in 0..<2000 {
      RunFixture.fill(
        &record, 1, String(repeating: "m", count: number < 1200 ? 10 : number == 1500 ? 3 << 20 : 9000))
      let before = out.count
      OTLPRecord.put(record, RecordPlace(filename: .empty, count: 1, delta: 0), &out)
      sizes.append(out.count - before)
    }
    var first = 0
    for batch in OTLPBatches(out.bytes) {
      var bytes = 0
      var records = 0
      while bytes < batch.count {
        bytes += sizes[first]
        first += 1
        records += 1
      }
      #expect(bytes == batch.count)
      #expect(records <= 512)
      #expect(records == 1 || bytes <= 1 << 20)
    }
    #expect(first == 2000)
  }

  @Test(arguments: [
    ("trace", 1), ("TRCE", 1), ("debug", 5), ("DEBG", 5), ("info", 9), ("notice", 10), ("warning", 13),
    ("WARN", 13),
    ("error", 17), ("ERRO", 17), ("alert", 19), ("critical", 21), ("fatal", 21), ("emerg", 21), ("panic", 24),
    ("", 0),
    ("in", 0), ("informationally", 0), ("xyz", 0),
  ])
  func severityFollowsTheDataModel(_ level: String, _ number: UInt8) {
    #expect(ByteSlice.withCopy(of: Array(level.utf8)) { OTLPSeverity.number($0) } == number)
  }

  @Test(arguments: [
    ("containerd-shim-v2", "VM started", "kata.sandbox.vm_started"),
    ("kata-runtime", "start vm", "kata.sandbox.vm_started"),
    ("kata", "container process exited with 0", "kata.container.exited"),
    ("kata-agent", "ttRPC server started", "kata.agent.ready"),
    // What the guest prints is no event of the runtime.
    ("kata-agent", "VM started", ""), ("containerd", "VM started", ""), ("kata", "VM startet", ""),
    ("kata", "", ""),
  ])
  func lifecycleMarksAreEvents(_ name: String, _ message: String, _ event: String) {
    var record = Record()
    RunFixture.fill(&record, 1, message)
    record.name = record.arena.copy(name)
    let found = OTLPEvent.name(record, OTLPOrigin(record))
    #expect(found.map { "\($0)" } ?? "" == event)
  }

  @Test func timeBeyondTheRangeIsAText() throws {
    var record = Record()
    RunFixture.fill(&record, -5)
    var out = OutputBuffer()
    OTLPRecord.put(record, RecordPlace(filename: .empty, count: 1, delta: 0), &out)
    var json = ByteWriter()
    try OTLPLogs.putJSON(out.bytes, to: &json)
    #expect(
      json.string.contains("{\"key\":\"kata.time\",\"value\":{\"stringValue\":\"1969-12-31T23:59:55Z\"}}"))
    #expect(!json.string.contains("timeUnixNano"))
  }
}
