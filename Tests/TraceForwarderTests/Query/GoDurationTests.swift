import Testing

@testable import TraceForwarder

/// Durations as Go's `time.Duration` writes and reads them.
struct GoDurationTests {
  @Test(
    arguments: [
      ("0", 0), ("0s", 0), ("1ns", 1), ("1us", 1000), ("1µs", 1000), ("1μs", 1000), ("1.5ms", 1_500_000),
      ("1s", 1_000_000_000), (".5s", 500_000_000), ("1.s", 1_000_000_000), ("+2s", 2_000_000_000),
      ("1h2m3s", 3_723_000_000_000), ("1.5h", 5_400_000_000_000), ("0.000000001s", 1), ("0.1ns", 0),
      ("1.25m", 75_000_000_000), ("2562047h47m16.854775807s", UInt64(Int64.max)),
      ("0.123456789h", 444_444_440_400),
    ] as [(String, UInt64)])
  func isRead(_ text: String, _ nanoseconds: UInt64) {
    #expect(GoDuration.parse(text) == nanoseconds)
  }

  @Test(arguments: [
    "", "1", "s", ".", ".s", "1 s", "-1s", "1d", "1x", "1.2.3s", "1e3s", "٣s", "9999999999999h",
    "18446744073709551616ns",
    "2562047h47m16.854775808s", "1s2", "++1s", "0x1s",
  ])
  func isRefused(_ text: String) { #expect(GoDuration.parse(text) == nil) }

  @Test func lookbacksHaveDays() {
    #expect(GoDuration.parse("2d", days: true) == 172_800_000_000_000)
    #expect(GoDuration.parse("999999999999999999d", days: true) == nil)
  }

  @Test(
    arguments: [
      (0, "0s"), (1, "1ns"), (-1500, "-1.5µs"), (1_500_000, "1.5ms"), (-2_000_000_000, "-2s"),
      (90_000_000_000, "1m30s"),
      (3_600_000_000_000, "1h0m0s"), (Int64.max, "2562047h47m16.854775807s"),
      (Int64.min, "-2562047h47m16.854775808s"),
    ] as [(Int64, String)])
  func isWritten(_ nanoseconds: Int64, _ text: String) { #expect(GoDuration.text(nanoseconds) == text) }
}
