import Bytes
import Logging

/// The summary of one sandbox: its identity, when it ran, and what went wrong.
final class SandboxSummary {
  /// An error, with the parts that are shown.
  struct Fault {
    var time: Timestamp
    var source: String
    var message: String
  }

  enum State: String {
    case failed, errors, ready
    /// Not known.
    case unknown = "-"
  }

  private static let keptContainers = 16
  private static let keptSources = 16
  private static let keptBytes = 512

  /// Empty for records of a pod whose sandbox is not known, and for records without an owner.
  let sandbox: String
  private(set) var pod = ""
  private(set) var namespace = ""
  private(set) var runtime = ""
  private(set) var containers: [String] = []
  private(set) var moreContainers = false
  private(set) var first: Timestamp?
  private(set) var last: Timestamp?
  private(set) var start: Timestamp?
  private(set) var ready: Timestamp?
  private(set) var errors: UInt64 = 0
  private(set) var criticals: UInt64 = 0
  /// Errors by the reporting component, in the order of arrival; the last element counts all others.
  private(set) var sources: [(name: String, count: UInt64)] = []
  private(set) var firstError: Fault?
  private(set) var lastError: Fault?
  /// Counts of records, and of what is lost.
  private(set) var statistics = ReadingStatistics()

  init(sandbox: String) { self.sandbox = sandbox }

  /// The pod's displayed name; empty if it is not known.
  var podName: String { pod.isEmpty || namespace.isEmpty ? pod : "\(namespace)/\(pod)" }

  /// Messages and agent records that are missing or incomplete.
  var losses: UInt64 {
    statistics.truncated + statistics.dropped + statistics.suppressed + statistics.unpackFailures
  }

  /// A sandbox has failed if it ended with a critical error, or if it was started, had errors and never became ready.
  var state: State {
    if criticals > 0 || errors > 0 && start != nil && ready == nil { return .failed }
    return errors > 0 ? .errors : ready != nil ? .ready : .unknown
  }

  /// How long the sandbox took from its first record until it was ready, in nanoseconds.
  var timeToReady: Int64? {
    guard let ready, let begin = start ?? first, ready >= begin else { return nil }
    return ready.nanoseconds(since: begin)
  }

  func note(_ record: borrowing Record, _ owner: Owner) {
    statistics.note(record)
    note(owner)
    if runtime.isEmpty { runtime = Self.runtime(record) }
    if !record.marks.contains(.timeIsInherited) {
      first = min(first ?? record.time, record.time)
      last = max(last ?? record.time, record.time)
    }
    if Self.isStart(record.message) { start = min(start ?? record.time, record.time) }
    if Self.isReady(record.message) { ready = min(ready ?? record.time, record.time) }
    if let level = LogLevel(name: record.level), level >= .error { noteError(record, level) }
  }

  private func note(_ owner: Owner) {
    if pod.isEmpty, !owner.pod.isEmpty { pod = owner.pod.string }
    if namespace.isEmpty, !owner.namespace.isEmpty { namespace = owner.namespace.string }
    guard !owner.container.isEmpty, !owner.container.equals(owner.sandbox) else { return }
    if containers.contains(where: { owner.container.isSame(as: $0) }) { return }
    if containers.count < Self.keptContainers {
      containers.append(owner.container.string)
    } else {
      moreContainers = true
    }
  }

  private func noteError(_ record: borrowing Record, _ level: LogLevel) {
    errors += 1
    if level == .critical { criticals += 1 }
    let source = record.source.isEmpty ? record.name : record.source
    if let index = sources.firstIndex(where: { source.isSame(as: $0.name) }) {
      sources[index].count += 1
    } else if sources.count < Self.keptSources {
      sources.append((source.prefix(64).string, 1))
    } else {
      sources[Self.keptSources - 1].name = "others"
      sources[Self.keptSources - 1].count += 1
    }
    let isFirst = firstError.map { record.time < $0.time } ?? true
    let isLast = lastError.map { record.time >= $0.time } ?? true
    guard isFirst || isLast else { return }
    let fault = Fault(
      time: record.time, source: source.prefix(64).string, message: Self.words(record))
    if isFirst { firstError = fault }
    if isLast { lastError = fault }
  }

  /// The message, and the logger's separate error.
  private static func words(_ record: borrowing Record) -> String {
    var text = record.message.prefix(keptBytes).string
    for key in ["error", "err"] as [StaticString] {
      guard let error = record.fields.value(of: key), !error.isEmpty else { continue }
      text += ": " + error.prefix(keptBytes).string
      break
    }
    return text
  }

  /// Adds what was recorded for the same sandbox under its pod's name.
  func add(_ other: SandboxSummary) {
    statistics.add(other.statistics)
    if runtime.isEmpty { runtime = other.runtime }
    first = [first, other.first].compactMap { $0 }.min()
    last = [last, other.last].compactMap { $0 }.max()
    start = [start, other.start].compactMap { $0 }.min()
    ready = [ready, other.ready].compactMap { $0 }.min()
    errors += other.errors
    criticals += other.criticals
    for source in other.sources {
      if let index = sources.firstIndex(where: { $0.name == source.name }) {
        sources[index].count += source.count
      } else if sources.count < Self.keptSources {
        sources.append(source)
      } else {
        sources[Self.keptSources - 1].name = "others"
        sources[Self.keptSources - 1].count += source.count
      }
    }
    if let fault = other.firstError, firstError.map({ fault.time < $0.time }) ?? true { firstError = fault }
    if let fault = other.lastError, lastError.map({ fault.time >= $0.time }) ?? true { lastError = fault }
  }

  /// Notes a pod that became known after the sandbox's last record.
  func setPod(_ pod: String, _ namespace: String) {
    if self.pod.isEmpty {
      self.pod = pod
      self.namespace = namespace
    }
  }

  private static func runtime(_ record: borrowing Record) -> String {
    if record.source.hasPrefix("virtcontainers") || record.name.hasPrefix("containerd-shim")
      || record.source == "katautils" || record.source == "containerd-kata-shim-v2"
    {
      return "go"
    }
    // The Rust runtime's records have its version and a subsystem, and the sandbox as their source.
    guard record.name == "kata-runtime" || record.name == "kata" else { return "" }
    return record.fields.value(of: "subsystem") != nil || record.source.equals(record.sandbox) ? "rust" : ""
  }

  private static func isStart(_ message: ByteSlice) -> Bool {
    switch message.peek(0) {
    case UInt8(ascii: "R"):
      message.hasPrefix("RunPodSandbox for ") || message.hasPrefix("Running pod sandbox")
    case UInt8(ascii: "S"): message.hasPrefix("Starting VM")
    case UInt8(ascii: "c"): message.hasPrefix("create sandbox")
    case UInt8(ascii: "l"): message.hasPrefix("loaded configuration") || message.hasPrefix("launching ")
    case UInt8(ascii: "s"): message.hasPrefix("start vm") || message.hasPrefix("start sandbox")
    default: false
    }
  }

  private static func isReady(_ message: ByteSlice) -> Bool {
    switch message.peek(0) {
    case UInt8(ascii: "R"):
      message.hasPrefix("Ran pod sandbox ")
        || message.hasPrefix("RunPodSandbox for ") && message.range(of: "returns sandbox id") != nil
    case UInt8(ascii: "A"): message.hasPrefix("Agent started in the sandbox")
    case UInt8(ascii: "S"): message.hasPrefix("Sandbox is started")
    case UInt8(ascii: "a"): message.hasPrefix("agent started")
    case UInt8(ascii: "s"): message.hasPrefix("sandbox started")
    default: false
    }
  }
}
