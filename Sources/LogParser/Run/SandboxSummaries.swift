import Bytes

/// The summaries of the sandboxes in a run.
///
/// Up to ``limit`` sandboxes are distinguished; the records of any more are counted together.
struct SandboxSummaries {
  static let limit = 4096

  private var sandboxes: [String: SandboxSummary] = [:]
  private var pods: [String: SandboxSummary] = [:]
  private var last: SandboxSummary?
  /// Records without a known owner.
  let others = SandboxSummary(sandbox: "")
  /// Records of sandboxes beyond the limit.
  private(set) var beyondLimit: UInt64 = 0

  mutating func note(_ record: borrowing Record, _ owner: Owner) {
    if let last, !owner.sandbox.isEmpty, owner.sandbox.isSame(as: last.sandbox) {
      return last.note(record, owner)
    }
    if owner.sandbox.isEmpty, owner.pod.isEmpty { return others.note(record, owner) }
    guard let summary = find(owner) else {
      beyondLimit += 1
      return
    }
    summary.note(record, owner)
    if !owner.sandbox.isEmpty { last = summary }
  }

  private mutating func find(_ owner: Owner) -> SandboxSummary? {
    if !owner.sandbox.isEmpty {
      let id = owner.sandbox.prefix(128).string
      if let known = sandboxes[id] { return known }
      guard sandboxes.count < Self.limit else { return nil }
      let made = SandboxSummary(sandbox: id)
      sandboxes[id] = made
      return made
    }
    let name = owner.namespace.prefix(64).string + "/" + owner.pod.prefix(256).string
    if let known = pods[name] { return known }
    guard pods.count < Self.limit else { return nil }
    let made = SandboxSummary(sandbox: "")
    pods[name] = made
    return made
  }

  /// All sandboxes: failed ones first, then those with errors; each group in order of time.
  mutating func sorted(_ attribution: Attribution?) -> [SandboxSummary] {
    for summary in sandboxes.values {
      if let (pod, namespace) = attribution?.pod(of: summary.sandbox) { summary.setPod(pod, namespace) }
    }
    let named = Dictionary(grouping: sandboxes.values.filter { !$0.pod.isEmpty }, by: \.podName)
    var all = Array(sandboxes.values)
    for summary in pods.values {
      // Records of a pod count for its sandbox, if it has only one.
      if let only = named[summary.podName], only.count == 1 {
        only[0].add(summary)
      } else {
        all.append(summary)
      }
    }
    return all.sorted { one, other in
      let (left, right) = (Self.rank(one), Self.rank(other))
      if left != right { return left < right }
      if one.first != other.first { return one.first ?? .unset < other.first ?? .unset }
      return one.sandbox < other.sandbox
    }
  }

  private static func rank(_ summary: SandboxSummary) -> Int {
    switch summary.state {
    case .failed: 0
    case .errors: 1
    case .ready, .unknown: 2
    }
  }
}
