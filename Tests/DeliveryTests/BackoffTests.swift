import Testing

@testable import Delivery

@Suite struct BackoffTests {
  @Test func pausesDoubleUpToTheLongest() {
    var backoff = Backoff()
    #expect((0..<8).map { _ in backoff.next(0.5) } == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000])
    backoff.reset()
    #expect(backoff.next(0.5) == 1000)
  }

  @Test func jitterIsWithinFifteenPercent() {
    var (least, most) = (Backoff(), Backoff())
    #expect(least.next(0) == 850)
    #expect(most.next(1) == 1150)
  }
}
