import Foundation
import TestSupport
import Testing

/// Several files that are followed at once, and files that are still to come.
@Suite(.ownThreads) struct FollowSeveralTests {
  /// A follower of files in a folder of its own.
  private struct Run {
    let folder = try? TemporaryFolder()
    let follower: Follower

    init(_ names: [String], _ files: [String: Range<Int>] = [:], options: [String] = []) throws {
      let folder = try #require(folder)
      for (name, numbers) in files { try folder.write(name, LogLines.text(numbers)) }
      let errors = folder.path("err")
      follower = try Follower(
        ["--follow", "--stats", "--output-format", "ndjson", "--fields", "number"] + options + names,
        prefix: ["/bin/bash", "-c", "cd '\(folder.url.path)' && exec \"$@\" 2>'\(errors)'", "bash"])
    }

    var errorText: String {
      (try? String(contentsOfFile: folder?.path("err") ?? "", encoding: .utf8)) ?? ""
    }

    func expect(_ numbers: Int...) async throws {
      for number in numbers { #expect(try await follower.line() == "{\"number\":\"\(number)\"}") }
    }

    func path(_ name: String) throws -> String { try #require(folder).path(name) }

    func append(_ name: String, _ numbers: Int...) throws {
      try follower.append(path(name), LogLines.text(numbers))
    }

    /// Makes a file that was not there, whole.
    func make(_ name: String, _ numbers: Int...) throws {
      try #require(folder).write(name + ".new", LogLines.text(numbers))
      try FileManager.default.moveItem(atPath: path(name + ".new"), toPath: path(name))
    }

    func end() {
      #expect(follower.stop(SIGTERM) == 0)
      #expect(follower.rest().isEmpty)
    }
  }

  @Test func existingRecordsAreMergedAndNewOnesWritten() async throws {
    let run = try Run(["a", "b"], ["a": 0..<3, "b": 1..<4])
    try await run.expect(0, 1, 1, 2, 2, 3)
    for number in 10..<30 {
      try run.append(number % 3 == 0 ? "a" : "b", number)
      try await run.expect(number)
    }
    run.end()
    #expect(run.errorText.contains("\"records\":26,"), "\(run.errorText)")
  }

  @Test func eachFileIsFollowedThroughRotationAndTruncation() async throws {
    let run = try Run(["a", "b"], ["a": 0..<1, "b": 1..<2])
    try await run.expect(0, 1)
    try FileManager.default.moveItem(atPath: run.path("a"), toPath: run.path("a.1"))
    try run.append("a.1", 2)
    try await run.expect(2)
    try run.make("a", 3)
    try await run.expect(3)
    #expect(truncate(try run.path("b"), 0) == 0)
    try run.append("b", 4)
    try await run.expect(4)
    try run.append("a", 5)
    try await run.expect(5)
    run.end()
    #expect(run.errorText.contains("/b: truncated while it was followed"), "\(run.errorText)")
    #expect(run.errorText.contains("\"truncations\":1,"), "\(run.errorText)")
  }

  @Test func fileThatIsNotThereIsWaitedFor() async throws {
    let run = try Run(["a", "b", "late/c"], ["a": 0..<1])
    try await run.expect(0)
    try run.make("b", 1)
    try await run.expect(1)
    // Neither is the directory of this one.
    try FileManager.default.createDirectory(atPath: run.path("late"), withIntermediateDirectories: true)
    try run.make("late/c", 2)
    try await run.expect(2)
    try run.append("late/c", 3)
    try await run.expect(3)
    run.end()
    for name in ["b", "late/c"] {
      #expect(
        run.errorText.contains("warning: \(name): does not exist yet; waiting for it"), "\(run.errorText)")
      #expect(run.errorText.contains("/\(name): now exists; following it"), "\(run.errorText)")
    }
  }

  @Test func onlyFileMayStillBeToCome() async throws {
    let run = try Run(["a"])
    try await waitForText("waiting for it", in: run)
    try run.make("a", 1, 2)
    try await run.expect(1, 2)
    run.end()
  }

  private func waitForText(_ text: String, in run: Run) async throws {
    for _ in 0..<12_000 {
      if run.errorText.contains(text) { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("\(text) did not come: \(run.errorText)")
  }

  @Test func filesOfADirectoryAreFollowedWithoutTheRotatedOnes() async throws {
    let run = try Run(["."], ["a.log": 0..<1, "a.log.1": 5..<6, "b.log": 1..<2])
    try await run.expect(0, 1)
    try run.append("b.log", 2)
    try await run.expect(2)
    run.end()
  }
}
