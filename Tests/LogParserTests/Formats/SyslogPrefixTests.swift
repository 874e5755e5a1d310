import Bytes
import Testing

@testable import LogParser

struct SyslogPrefixTests {
  /// What stands before the message, as `time host identifier[pid] level|message`; nil where there is no prefix. The
  /// reference is 2026-03-06T00:00:00Z.
  private func prefix(_ line: String) -> String? {
    var arena = Arena()
    guard
      let found = SyslogPrefix.read(
        arena.copy(line), clock: LineClock(reference: Timestamp(seconds: 1_772_755_200)))
    else {
      return nil
    }
    let time = found.time.map { "\($0.seconds).\($0.nanoseconds)" } ?? "-"
    return "\(time) \(found.host.string) \(found.identifier.string)[\(found.pid)] "
      + "\(found.level.string)|\(found.payload.string)"
  }

  @Test(arguments: [
    ("2026-03-05T05:01:56+0100 h p[1]: m", "1772683316.0 h p[1] |m"),
    ("2026-03-05T05:01:56.5+01:00 h p: m", "1772683316.500000000 h p[0] |m"),
    ("2026-03-05T05:01:56Z h p:m", "1772686916.0 h p[0] |m"),
    ("1772686918.25 h p[12]: m", "1772686918.250000000 h p[12] |m"),
    ("Thu 2026-03-05 05:01:59 UTC h p: m", "1772686919.0 h p[0] |m"),
    ("<34>1 2026-03-05T05:01:56Z h p 7 id - m", "1772686916.0 h p[7] critical|m"),
    ("<165>1 2026-03-05T05:01:56Z - - - - [a b=\"]\\\"\"][c] m", "1772686916.0  [0] info|m"),
    ("<7>no header", "-  [0] debug|no header"),
    ("<191>1 - h p - - - m", "- h p[0] debug|m"),
  ])
  func readsPrefixes(_ line: String, _ expected: String) { #expect(prefix(line) == expected) }

  @Test func readsTimesOfThisMachinesZone() {
    #expect(prefix("Mar  5 05:01:54 h p[3]: m")?.hasSuffix(".0 h p[3] |m") == true)
    #expect(prefix("<13>Mar  5 05:01:54 h no tag")?.hasSuffix(".0 h [0] info|no tag") == true)
  }

  @Test(arguments: [
    "", "<", "<192>m", "<1x", "Mar  5 05:01:54 h no tag", "Mer  5 05:01:54 h p: m", "Mar 35 05:01:54 h p: m",
    "2026-03-05T05:01:56 h p: m", "2026-13-05T05:01:56Z h p: m", "2026-03-05T05:01:56Z h p[x]: m",
    "17 h p: m",
    "<34>1 yesterday h p 7 id - m", "<34>1 2026-03-05T05:01:56Z h p 7 id [a m",
  ])
  func leavesOtherLines(_ line: String) { #expect(prefix(line) == nil) }
}
