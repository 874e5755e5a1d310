import Bytes
import Testing

@testable import LogParser

/// Rows of kubectl's tables of events; the samples in `formats/input/kubectl-events` have whole tables.
struct KubernetesEventRowTests {
  /// What a row says, as `seconds ago level name reason object|message`; nil where it is none, `-` for a head.
  private func read(_ line: String, described: [String] = [], isLenient: Bool = true) throws -> String? {
    var rules = ReadingRules()
    rules.isLenient = isLenient
    var record = Record()
    let text = TextRecord(rules: rules, reference: Timestamp(seconds: 1_000_000_000, nanoseconds: 5))
    var context = LineContext(text: text, isForced: false)
    for line in described { context.describedPod.note(record.arena.copy(line)) }
    switch try KubernetesEventRow.detector.read(record.arena.copy(line), &context, &record) {
    case .record: break
    case .nothing: return "-"
    default: return nil
    }
    let time = record.time.isUnset ? "?" : "\(1_000_000_000 - record.time.seconds)"
    #expect(record.time.isUnset || record.time.inferred == .age && record.time.nanoseconds == 0)
    let value = { (key: StaticString, record: borrowing Record) in record.fields.value(of: key)?.string }
    let kind = value("object_kind", record).map { "\($0)/" } ?? ""
    let name = value("pod", record) ?? value("object_name", record) ?? ""
    let namespace =
      (value("pod_namespace", record) ?? value("object_namespace", record)).map { "\($0)/" } ?? ""
    let count = value("count", record).map { " x\($0)" } ?? ""
    let part = value("container_name", record).map { " \($0)" } ?? ""
    let host = value("host", record).map { "@\($0)" } ?? ""
    return "\(time) \(record.level.string) \(record.name.string)\(host) \(value("reason", record) ?? "") "
      + "\(namespace)\(kind)\(name)\(part)\(count)|\(record.message.string)"
  }

  @Test(arguments: [
    (
      "9s          Normal    Started   pod/web-0   Started container",
      "9 info  Started web-0|Started container"
    ),
    ("2m10s Warning BackOff pod/web-0 one blank  each", "130 warning  BackOff web-0|one blank  each"),
    ("3d4h\tNormal\tScaled\tdeployment.apps/web\tup", "273600 info  Scaled deployment.apps/web|up"),
    ("shop  2y3d  Normal  Pulled  Pod/web-0  there", "63331200 info  Pulled shop/web-0|there"),
    ("shop  5s  Normal  Pulled  job/web  there", "5 info  Pulled shop/job/web|there"),
    ("20s (x5 over 3m)   Warning   BackOff   Pod/web-0   m", "20 warning  BackOff web-0 x5|m"),
    ("<unknown>   Warning   BackOff   pod/web-0   m", "? warning  BackOff web-0|m"),
    ("<invalid>   Normal   BackOff   pod/web-0", "? info  BackOff web-0|"),
    (
      "3m   Normal   A   pod/p   spec.containers{c}   kubelet, n1   m m   4m   7   p.17a",
      "180 info kubelet@n1 A p c x7|m m"
    ),
    (
      "3m   Normal   A   pod/p                        kubelet   m m   4m   7   p.17a",
      "180 info kubelet A p x7|m m"
    ),
    ("3m   Normal   A   pod/p   m m   4m   7   p", "180 info  A p|m m   4m   7   p"),
    (
      "  Normal   Scheduled   46s   default-scheduler  assigned it",
      "46 info default-scheduler Scheduled |assigned it"
    ),
    (
      "  Warning  Failed   9s (x4 over 46s)   kubelet, node5   no runtime",
      "9 warning kubelet@node5 Failed  x4|no runtime"
    ),
    (
      "  Warning  NodeNotReady   9s                 Node is not ready",
      "9 warning  NodeNotReady |Node is not ready"
    ),
    ("Warning Failed 9s kubelet Node is not ready", "9 warning kubelet Failed |Node is not ready"),
    ("LAST SEEN   TYPE      REASON   OBJECT   MESSAGE", "-"),
    ("NAMESPACE   LAST SEEN   TYPE   REASON   OBJECT   SUBOBJECT", "-"),
    ("  Type     Reason     Age    From     Message", "-"),
    ("  ----     ------     ----   ----     -------", "-"),
  ])
  func readsRows(_ line: String, _ expected: String) throws { #expect(try read(line) == expected) }

  @Test(arguments: [
    "", "Normal", "  Normal  Scheduled", "  Normal  Scheduled  9s", "  Normal  Scheduled  9s  ",
    "  Normal  scheduled  9s  kubelet  m", "  Normal  Scheduled  9x  kubelet  m",
    "9s  Normal  Started  web-0  m",
    "9s  Abnormal  Started  pod/web-0  m", "9sx  Normal  Started  pod/web-0  m",
    "9  Normal  Started  pod/web-0  m",
    "a b 9s  Normal  Started  pod/web-0  m", "9s  Normal  Started  /web-0  m", "9s  Normal  Started  pod/  m",
    "Warning: policy is deprecated", "level=info msg=Normal", "99999999s  Normal  Started  pod/a  m",
  ])
  func leavesOtherLines(_ line: String) throws { #expect(try read(line) == nil) }

  @Test func theExistingToolsReadingIsKept() throws {
    #expect(try read("9s   Normal   Started   pod/web-0   m", isLenient: false) == nil)
  }

  @Test func aDescribedPodIsTheOneOfItsEvents() throws {
    let row = "  Normal  Pulled  9s  kubelet  m"
    let head = ["Name:             web-0", "Namespace:        shop", "Node:             node5/192.0.2.5"]
    #expect(try read(row, described: head) == "9 info kubelet Pulled shop/web-0|m")
    // Only a pod has a node, and the next description starts without one.
    #expect(try read(row, described: Array(head.prefix(2))) == "9 info kubelet Pulled |m")
    #expect(try read(row, described: head + ["Name:  node5"]) == "9 info kubelet Pulled |m")
    #expect(try read(row, described: head + ["Node-Selectors:  a=b"]) == "9 info kubelet Pulled shop/web-0|m")
  }
}
