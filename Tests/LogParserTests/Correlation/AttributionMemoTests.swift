import Bytes
import Testing

@testable import LogParser

/// What is remembered of a process saves looking at a record, and changes nothing about it.
struct AttributionMemoTests {
  private static let sandbox = "83eea70082823edbf8e66ce5c683467b3c08d0e5402f31c726ef0cbb0ea3316f"
  private static let container = "c1476bc7e666fd4ca3400f86af9c8ba915a5a6456f52d7a2051cac84ca755092"

  /// A record of the sandbox's runtime.
  private func record(_ fields: [(String, String)] = [], sandbox: String = Self.sandbox) -> Record {
    var record = Record()
    record.name = record.arena.copy("kata-runtime")
    record.sandbox = record.arena.copy(sandbox)
    record.pid = 4711
    for (key, value) in fields { record.setField(record.arena.copy(key), record.arena.copy(value)) }
    return record
  }

  /// One that has seen two records of the process.
  private func warm(_ names: [String] = []) -> Attribution {
    let attribution = Attribution(names: names)
    for _ in 0..<2 {
      var known = record([("subsystem", "agent")])
      _ = attribution.owner(of: &known, input: 0)
    }
    return attribution
  }

  @Test(arguments: [
    "cid", "CID", "containerID", "containerId", "container_id", "container-id", "CONTAINER_ID", "CONTAINER",
    "kubernetes.docker_id", "kubernetes.container_id",
  ])
  func containerIsAddedToKnownFields(_ key: String) {
    var record = record([(key, Self.container), ("subsystem", "agent")])
    let owner = warm().owner(of: &record, input: 0)
    #expect(owner.container.string == Self.container && owner.sandbox.string == Self.sandbox)
  }

  @Test(arguments: [
    ("pod", "shop/web-1"), ("description", "shop/web-1"), ("pod_name", "web-1"),
    ("kubernetes.pod_name", "web-1"), ("io.kubernetes.pod.name", "web-1"),
  ])
  func podIsAddedToKnownFields(_ key: String, _ value: String) {
    var record = record([(key, value)])
    #expect(warm().owner(of: &record, input: 0).pod.string == "web-1")
  }

  @Test(arguments: [
    "sandboxid", "sandboxID", "sandbox_id", "sandbox-id", "SANDBOX_ID", "SANDBOX", "podsandboxid",
    "podSandboxID",
    "pod_sandbox_id", "ID",
  ])
  func aSandboxIsSeenInAField(_ key: String) {
    var record = record([(key, Self.container)], sandbox: "")
    #expect(warm().owner(of: &record, input: 0).sandbox.string == Self.container)
  }

  @Test func everyRecordGetsWhatTheNameOfItsInputTells() {
    let attribution = warm(["/var/log/containers/web-1_shop_nginx-\(Self.container).log"])
    for _ in 0..<3 {
      var record = record()
      let owner = attribution.owner(of: &record, input: 0)
      #expect(owner.pod.string == "web-1" && owner.container.string == Self.container)
    }
  }

  @Test func eachRecordBeforeItsPodIsCountedOnce() {
    let attribution = warm()
    for marks in [[], RecordMarks.levelIsInferred, .yearIsInferred] {
      var record = record()
      record.marks = marks
      attribution.fill(&record, input: 0)
    }
    var telling = record([("pod", "shop/web-1")])
    _ = attribution.owner(of: &telling, input: 0)
    #expect(attribution.earlyRecords == 5)
    var later = record()
    #expect(attribution.owner(of: &later, input: 0).pod.string == "web-1")
  }

  @Test func theNextRecordIsMarkedAsTheFirstWas() {
    let attribution = warm()
    var record = record()
    record.marks = .levelIsInferred
    attribution.fill(&record, input: 0)
    #expect(record.fields.value(of: "kata-log-parser-inferred")?.string == "level")
    var plain = self.record()
    attribution.fill(&plain, input: 0)
    #expect(plain.fields.isEmpty && plain.sandbox.string == Self.sandbox)
  }
}
