import Bytes
import Testing

@testable import LogParser

/// Records of which only their process may tell whose they are, before and after something tells of it.
struct UnknownProcessTests {
  private static let sandbox = "83eea70082823edbf8e66ce5c683467b3c08d0e5402f31c726ef0cbb0ea3316f"

  private func owner(
    _ attribution: Attribution, pid: Int, sandbox: String = "", _ message: String = "plain words"
  )
    -> String
  {
    var record = Record()
    record.name = record.arena.copy("containerd-shim-v2")
    record.pid = pid
    record.sandbox = record.arena.copy(sandbox)
    record.message = record.arena.copy(message)
    return attribution.owner(of: &record, input: 0).sandbox.string
  }

  @Test func aProcessThatBecomesKnownIsNoLongerTakenForUnknown() {
    let attribution = Attribution(names: ["a"])
    // Process ids that share a place of what is remembered, too.
    for pid in [7, 7, 7 + 256, 7, 8] { #expect(owner(attribution, pid: pid).isEmpty) }
    #expect(attribution.earlyRecords == 0)
    #expect(owner(attribution, pid: 7, sandbox: Self.sandbox) == Self.sandbox)
    #expect(attribution.earlyRecords == 3)
    #expect(owner(attribution, pid: 7) == Self.sandbox)
    #expect(owner(attribution, pid: 7 + 256).isEmpty && owner(attribution, pid: 8).isEmpty)
  }

  @Test(arguments: [
    "found sandbox \"S\" there", "cleaned up container S", "open /run/vc/sbs/S/x", "-name sandbox-S",
    "CreateContainer within sandbox \"S\"",
  ])
  func wordsAreReadAlthoughTheProcessIsUnknown(_ words: String) {
    let attribution = Attribution(names: ["a"])
    for _ in 0..<2 { #expect(owner(attribution, pid: 7).isEmpty) }
    var record = Record()
    record.name = record.arena.copy("containerd-shim-v2")
    record.pid = 7
    record.message = record.arena.copy(words.replacing("S", with: Self.sandbox))
    let found = attribution.owner(of: &record, input: 0)
    #expect(found.sandbox.string == Self.sandbox || found.container.string == Self.sandbox)
  }

  @Test func whatIsForgottenIsCountedAnew() {
    let attribution = Attribution(names: ["a"])
    #expect(owner(attribution, pid: 1).isEmpty)
    // More processes than the table holds.
    for pid in 2...(OwnerTable.limit + 1) { _ = owner(attribution, pid: pid) }
    #expect(attribution.forgottenIDs == 1)
    #expect(owner(attribution, pid: 1).isEmpty)
    #expect(attribution.forgottenIDs == 2)
    #expect(owner(attribution, pid: 1, sandbox: Self.sandbox) == Self.sandbox)
    #expect(attribution.earlyRecords == 1)
  }
}
