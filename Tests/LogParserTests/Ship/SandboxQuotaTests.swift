import Bytes
import Testing

@testable import LogParser

@Suite("Quota of a sandbox") struct SandboxQuotaTests {
  private func limits(records: Int = 10, bytes: Int = 0, burst: Int = 2) -> SandboxQuota.Limits {
    var limits = SandboxQuota.Limits()
    limits.recordsPerSecond = records
    limits.bytesPerSecond = bytes
    limits.burstSeconds = burst
    return limits
  }

  private func admitted(
    _ quota: inout SandboxQuota, _ sandbox: String, count: Int, bytes: Int = 100, now: Int
  ) -> Int {
    ByteSlice.withCopy(of: Array(sandbox.utf8)) { id in
      (0..<count).count { _ in quota.admits(id, bytes: bytes, now: now) }
    }
  }

  @Test("A burst passes, then the rate") func burstThenRate() {
    var quota = SandboxQuota(limits())
    #expect(admitted(&quota, "a", count: 100, now: 0) == 20)
    #expect(admitted(&quota, "a", count: 100, now: 500) == 5)
    #expect(admitted(&quota, "a", count: 100, now: 1_000_000) == 20)
    #expect(quota.droppedRecords == 80 + 95 + 80)
  }

  @Test("One sandbox does not cost another, and the host has no limit") func apart() {
    var quota = SandboxQuota(limits())
    #expect(admitted(&quota, "flood", count: 1000, now: 0) == 20)
    #expect(admitted(&quota, "quiet", count: 20, now: 0) == 20)
    #expect(admitted(&quota, "", count: 1000, now: 0) == 1000)
  }

  @Test("Bytes count as records do; one over the whole bucket passes when that is full") func bytes() {
    var quota = SandboxQuota(limits(records: 0, bytes: 1000, burst: 1))
    #expect(admitted(&quota, "a", count: 100, bytes: 250, now: 0) == 4)
    #expect(admitted(&quota, "b", count: 1, bytes: 5000, now: 0) == 1)
    #expect(admitted(&quota, "b", count: 1, bytes: 5000, now: 500) == 0)
    #expect(admitted(&quota, "b", count: 1, bytes: 5000, now: 1000) == 1)
  }

  @Test("Losses are told once a second, and all at the end") func losses() {
    var quota = SandboxQuota(limits(records: 1, burst: 1))
    #expect(admitted(&quota, "a", count: 4, now: 0) == 1)
    #expect(quota.takeLosses(now: 0) == [.init(sandbox: Array("a".utf8), records: 3, bytes: 300)])
    #expect(admitted(&quota, "a", count: 2, now: 10) == 0)
    #expect(quota.takeLosses(now: 500).isEmpty)
    #expect(quota.takeLosses(now: 1000) == [.init(sandbox: Array("a".utf8), records: 2, bytes: 200)])
    #expect(admitted(&quota, "a", count: 2, now: 1001) == 1)
    #expect(quota.takeLosses(now: 1001, isLast: true).map(\.records) == [1])
    #expect(quota.takeLosses(now: 9000, isLast: true).isEmpty)
  }

  @Test("A clock that stands still or jumps back gives nothing away") func clock() {
    var quota = SandboxQuota(limits())
    #expect(admitted(&quota, "a", count: 100, now: 1000) == 20)
    #expect(admitted(&quota, "a", count: 100, now: 0) == 0)
    #expect(admitted(&quota, "a", count: 100, now: 1000) == 0)
  }

  @Test("As many names as a hostile guest likes cost bounded memory, and every loss is counted")
  func manyNames() {
    var quota = SandboxQuota(limits(records: 1, burst: 1))
    var passed = 0
    for name in 0..<20_000 { passed += admitted(&quota, "s\(name)", count: 2, now: name) }
    #expect(passed == 20_000)
    #expect(quota.droppedRecords == 20_000)
    #expect(quota.takeLosses(now: 30_000).count <= 4096)
  }
}
