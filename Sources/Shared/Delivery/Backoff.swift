/// Growing pauses between attempts, with jitter, so that many senders do not reconnect to a receiver at the same
/// moment.
package struct Backoff: Sendable {
  /// The first pause and the longest, in milliseconds.
  package let first: Int
  package let longest: Int
  /// The fraction by which a pause is made shorter or longer at most.
  private static let jitter = 0.15

  private var pause: Int

  package init(first: Int = 1000, longest: Int = 60_000) {
    self.first = first
    self.longest = longest
    pause = first
  }

  /// The next pause in milliseconds; the one after it is twice as long.
  ///
  /// - Parameter random: a number from 0 to 1, which determines the jitter.
  package mutating func next(_ random: Double) -> Int {
    defer { pause = min(pause * 2, longest) }
    return Int(Double(pause) * (1 + Self.jitter * (2 * random - 1)))
  }

  package mutating func reset() { pause = first }
}
