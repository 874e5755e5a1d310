import Bytes
import Encodings

/// A summary for programs.
enum SummaryJSON {
  /// One object per line; records without a sandbox come last.
  static func lines(_ sandboxes: [SandboxSummary], others: SandboxSummary) -> String {
    (sandboxes + [others]).map { sandbox in
      var writer = JSONWriter()
      writer.object { put(sandbox, &$0) }
      return writer.text
    }.joined()
  }

  /// One document.
  static func document(_ sandboxes: [SandboxSummary], others: SandboxSummary, beyondLimit: UInt64) -> String {
    var writer = JSONWriter()
    writer.object { document in
      document.array("sandboxes", sandboxes) { put($1, &$0) }
      document.array("others", [others]) { put($1, &$0) }
      document.number("records_beyond_limit", Int(clamping: beyondLimit))
    }
    return writer.text
  }

  private static func put(_ sandbox: SandboxSummary, _ out: inout JSONWriter) {
    out.string("sandbox", sandbox.sandbox)
    out.string("pod", sandbox.pod)
    out.string("pod_namespace", sandbox.namespace)
    out.array("containers", sandbox.containers) { $0.string("id", $1) }
    out.string("state", sandbox.state == .unknown ? "" : sandbox.state.rawValue)
    out.string("runtime", sandbox.runtime)
    out.number("records", Int(clamping: sandbox.statistics.records))
    if let first = sandbox.first { out.string("first", first.rfc3339) }
    if let last = sandbox.last { out.string("last", last.rfc3339) }
    if let ready = sandbox.ready { out.string("ready", ready.rfc3339) }
    if let time = sandbox.timeToReady { out.number("time_to_ready", Int(time)) }
    out.number("errors", Int(clamping: sandbox.errors))
    out.array("errors_by_source", sandbox.sources) {
      $0.string("source", $1.name)
      $0.number("count", Int(clamping: $1.count))
    }
    put(sandbox.firstError, "first_error", &out)
    put(sandbox.lastError, "last_error", &out)
    out.number("truncated", Int(clamping: sandbox.statistics.truncated))
    out.number("agent_unpack_failures", Int(clamping: sandbox.statistics.unpackFailures))
    out.number("suppressed", Int(clamping: sandbox.statistics.suppressed))
    out.number("dropped", Int(clamping: sandbox.statistics.dropped))
  }

  private static func put(_ fault: SandboxSummary.Fault?, _ name: String, _ out: inout JSONWriter) {
    guard let fault else { return }
    out.string(name, fault.message)
    out.string(name + "_source", fault.source)
    out.string(name + "_time", fault.time.rfc3339)
  }
}
