import Foundation
import Testing

/// Runs the tests of a suite on threads where they may block: ``TestThreads``.
///
/// Tests that run tools wait for processes, files and sockets. On the threads that all tasks of Swift share, of which
/// there is one a processor, each such wait would hold up every other test, and all would seem to take as long as the run.
package struct OwnThreads: SuiteTrait, TestScoping {
  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    // The suite's tests are child tasks of this one, and take over its preference.
    try await withTaskExecutorPreference(TestThreads.shared) { try await function() }
  }
}

extension Trait where Self == OwnThreads {
  /// Runs the suite's tests on threads where they may block.
  package static var ownThreads: Self { Self() }
}

/// A few threads that run tests, each to its end before the next begins.
///
/// What became runnable last runs first: a test that has begun always goes on before another one begins. So a test's
/// reported time is the time it took, not the time it waited for its turn.
final class TestThreads: TaskExecutor, @unchecked Sendable {
  static let shared = TestThreads()

  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []

  /// Tests wait more than they compute, so there are two for each processor; `KATA_TEST_THREADS` says otherwise.
  private static let count =
    ProcessInfo.processInfo.environment["KATA_TEST_THREADS"].flatMap { Int($0) }
    ?? max(4, 2 * ProcessInfo.processInfo.activeProcessorCount)

  private init() {
    for _ in 0..<Self.count {
      let thread = Thread { [self] in while true { next().runSynchronously(on: asUnownedTaskExecutor()) } }
      thread.name = "tests"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.withLock {
      jobs.append(job)
      condition.signal()
    }
  }

  private func next() -> UnownedJob {
    condition.withLock {
      while true {
        if let job = jobs.popLast() { return job }
        condition.wait()
      }
    }
  }

  /// Fails a test that is about to block one of the threads that all tasks share.
  static func checkMayBlock() {
    guard Test.current != nil else { return }
    let isShared = withUnsafeCurrentTask { task in
      guard let task else { return false }
      return task.unownedTaskExecutor != shared.asUnownedTaskExecutor()
    }
    guard isShared else { return }
    Issue.record("this test blocks a thread that all tests share: its suite needs @Suite(.ownThreads)")
  }
}
