import TestSupport
import Testing

@testable import LogParser

struct RotatedNameTests {
  @Test(arguments: [
    ("kata.log", "kata.log"), ("kata.log.1", "kata.log"), ("kata.log.12.gz", "kata.log"),
    ("kata.log-20260301", "kata.log"), ("kata.log-20260301.xz", "kata.log"),
    ("kata.log-2026-03-01", "kata.log"), ("kata.log-1772686914.bz2", "kata.log"),
    ("kata-20260301.log", "kata.log"), ("kata.1.log", "kata.log"), ("0.log.20260301-050154.gz", "0.log"),
    ("0.log", "0.log"), ("messages", "messages"), ("messages.1", "messages"),
    ("node-1.log", "node-1.log"), ("10.0.0.1", "10.0.0"), ("20260301", "20260301"), (".1", ".1"), ("", ""),
    ("kata-2.log.zst", "kata-2.log"), ("kata.log-12", "kata.log-12"), ("-20260301", "-20260301"),
  ])
  func baseIsTheNameWithoutRotation(_ name: String, _ base: String) {
    #expect(RotatedName(name).base == base)
  }

  @Test(.seeded) func setsComeOldestFirst() {
    var random = Seed.generator()
    let sorted = [
      "a.log-20251231", "a.log-20260301.gz", "a.log.10.gz", "a.log.2.gz", "a.log.1", "a.log", "b.log.1",
      "b.log",
    ]
    for _ in 0..<50 {
      let names = sorted.shuffled(using: &random).map(RotatedName.init).sorted { $0.precedes($1) }
      #expect(names.map(\.name) == sorted)
    }
  }

  @Test func onlyFilesThatAreWrittenToAreCurrent() {
    #expect(RotatedName("a.log").isCurrent)
    for name in ["a.log.1", "a.log.gz", "a.log-20260301"] { #expect(!RotatedName(name).isCurrent) }
  }
}
