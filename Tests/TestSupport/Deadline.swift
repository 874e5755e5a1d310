import Foundation

/// A failure of a test's own machinery.
package struct TestFailure: Error, CustomStringConvertible {
  package var description: String

  package init(description: String) { self.description = description }
}

/// Waiting for conditions.
package enum Deadline {
  /// Looks every few milliseconds until the condition holds; throws when it does not in time.
  package static func wait(
    _ what: @autoclosure () -> String, seconds: Double = 120, _ condition: () throws -> Bool
  ) throws {
    guard try holds(seconds: seconds, condition) else {
      throw TestFailure(description: "timed out waiting until \(what())")
    }
  }

  /// Looks every few milliseconds until the condition holds; false when it does not in time.
  package static func holds(seconds: Double = 120, _ condition: () throws -> Bool) rethrows -> Bool {
    TestThreads.checkMayBlock()
    let end = Date().addingTimeInterval(seconds * (isSlow ? 4 : 1))
    while try !condition() {
      guard Date() < end else { return false }
      usleep(4000)
    }
    return true
  }

  /// Lets some time pass, for a test of what must not happen meanwhile.
  package static func pause(seconds: Double) {
    TestThreads.checkMayBlock()
    usleep(UInt32(seconds * 1_000_000))
  }

  /// Whether the long tests were asked for.
  package static let isSlow = ProcessInfo.processInfo.environment["KATA_TEST_SLOW"] != nil
}
