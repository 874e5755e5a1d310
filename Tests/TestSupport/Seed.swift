import Foundation
import Testing

/// The random choices of a test run: other ones each time, and the same ones again when asked for.
package enum Seed {
  /// `KATA_FUZZ_SEED`, or else one that the time gave.
  package static let ofRun =
    ProcessInfo.processInfo.environment["KATA_FUZZ_SEED"].flatMap { UInt64($0) }
    ?? UInt64(Date().timeIntervalSince1970 * 1000) & 0xffff_ffff

  /// A generator for one test, which must have the trait ``Testing/Trait/seeded``.
  package static func generator() -> SplitMix64 { SplitMix64(state: ofRun) }
}

/// Names the seed that repeats a test's random choices in each of its failures.
package struct Seeded: TestTrait, TestScoping {
  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let naming = IssueHandlingTrait.compactMapIssues { issue in
      var issue = issue
      issue.comments.append("KATA_FUZZ_SEED=\(Seed.ofRun) repeats the random choices of this test")
      return issue
    }
    try await naming.provideScope(for: test, testCase: testCase) {
      // An error that is thrown on would become an issue outside of this scope.
      do { try await function() } catch { Issue.record(error) }
    }
  }
}

extension Trait where Self == Seeded {
  /// Names the seed that repeats a test's random choices in each of its failures.
  package static var seeded: Self { Self() }
}
