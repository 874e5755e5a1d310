import Bytes

/// A summary for people: a line for each sandbox, and below it what went wrong.
enum SummaryTable {
  private static let heads = [
    "SANDBOX", "POD", "STATE", "RUNTIME", "FIRST", "LASTED", "READY AFTER", "ERRORS", "LOSSES", "RECORDS",
  ]

  static func text(_ sandboxes: [SandboxSummary], others: SandboxSummary, beyondLimit: UInt64) -> String {
    if sandboxes.isEmpty { return "no record names a sandbox; \(others.statistics.records) records read\n" }
    let rows = sandboxes.map(row)
    var widths = heads.map(\.count)
    for row in rows { for index in row.indices { widths[index] = max(widths[index], row[index].count) } }
    var text = line(heads, widths)
    for (sandbox, row) in zip(sandboxes, rows) { text += line(row, widths) + details(sandbox) }
    if others.statistics.records > 0 {
      let count = others.statistics.records
      text +=
        "\n\(count) \(count == 1 ? "record names" : "records name") no sandbox; errors among them: \(others.errors)\n"
      text += details(others)
    }
    if beyondLimit > 0 {
      text += "\n\(beyondLimit) records belong to sandboxes beyond the first \(SandboxSummaries.limit)\n"
    }
    return text
  }

  private static func row(_ sandbox: SandboxSummary) -> [String] {
    let id = sandbox.sandbox.count > 16 ? String(sandbox.sandbox.prefix(12)) : sandbox.sandbox
    let lasted = sandbox.first.flatMap { first in sandbox.last.map { $0.nanoseconds(since: first) } }
    return [
      id, sandbox.podName, sandbox.state.rawValue, sandbox.runtime, sandbox.first.map(time) ?? "",
      lasted.map(duration) ?? "", sandbox.timeToReady.map(duration) ?? "", "\(sandbox.errors)",
      "\(sandbox.losses)", "\(sandbox.statistics.records)",
    ].map { $0.isEmpty ? "-" : TerminalText.line($0) }
  }

  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
    return trimmedEnd(padded.joined(separator: "  ")) + "\n"
  }

  private static func trimmedEnd(_ text: String) -> String {
    String(text.reversed().drop { $0 == " " }.reversed())
  }

  private static func details(_ sandbox: SandboxSummary) -> String {
    var text = ""
    if !sandbox.containers.isEmpty {
      let ids = sandbox.containers.map { $0.count > 16 ? String($0.prefix(12)) : $0 }
      text += detail(
        "containers", ids.joined(separator: ", ") + (sandbox.moreContainers ? " and others" : ""))
    }
    if sandbox.sources.count > 1 {
      let counts = sandbox.sources.map { "\($0.name.isEmpty ? "-" : $0.name) \($0.count)" }
      text += detail("errors of", counts.joined(separator: ", "))
    }
    if let first = sandbox.firstError { text += detail("first error", fault(first)) }
    if sandbox.errors > 1, let last = sandbox.lastError { text += detail("last error", fault(last)) }
    return text
  }

  private static func detail(_ name: String, _ text: String) -> String {
    "    \(name): \(TerminalText.line(text))\n"
  }

  private static func fault(_ fault: SandboxSummary.Fault) -> String {
    // A message of several lines is shown as one.
    let words = fault.message.split { $0.isNewline || $0 == "\r" }.joined(separator: " ")
    let shown = words.count > 240 ? words.prefix(240) + "…" : words
    return "\(time(fault.time))  \(fault.source.isEmpty ? "" : fault.source + ": ")\(shown)"
  }

  /// To the millisecond, in UTC.
  private static func time(_ time: Timestamp) -> String {
    var utc = time
    utc.offsetMinutes = 0
    let text = utc.rfc3339
    let date = text.prefix(19).map { $0 == "T" ? " " : $0 }
    let millisecond = "\(time.nanoseconds / 1_000_000)"
    return String(date) + "." + String(repeating: "0", count: 3 - millisecond.count) + millisecond
  }

  /// `12ms`, `3.2s`, `4m10s`, `2h5m`.
  static func duration(_ nanoseconds: Int64) -> String {
    let milliseconds = max(0, nanoseconds) / 1_000_000
    let seconds = milliseconds / 1000
    switch seconds {
    case ..<1: return "\(milliseconds)ms"
    case ..<60: return "\(seconds).\(milliseconds / 100 % 10)s"
    case ..<3600: return "\(seconds / 60)m\(seconds % 60)s"
    case ..<172_800: return "\(seconds / 3600)h\(seconds / 60 % 60)m"
    default: return "\(seconds / 86_400)d\(seconds / 3600 % 24)h"
    }
  }
}
