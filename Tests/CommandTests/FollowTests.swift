import Foundation
import TestSupport
import Testing

/// Files that are truncated in place while they are followed, as `copytruncate` of logrotate does.
@Suite(.ownThreads) struct FollowTests {
  private static func line(_ number: Int, _ text: String = "m") -> String {
    "time=\"2026-03-05T05:01:54.123Z\" level=info msg=\"\(text)\" name=n pid=1 source=s number=\(number)\n"
  }

  /// A follower, the file that it reads, and what it says.
  private struct Run {
    let folder: TemporaryFolder
    let path: String
    let follower: Follower

    init(_ text: String) throws {
      folder = try TemporaryFolder()
      path = try folder.write("log", text)
      let errors = folder.url.appendingPathComponent("err").path
      follower = try Follower(
        ["--follow", "--stats", "--output-format", "ndjson", "--fields", "number", path],
        prefix: ["/bin/bash", "-c", "exec \"$@\" 2>'\(errors)'", "bash"])
    }

    var errorText: String {
      (try? String(contentsOf: folder.url.appendingPathComponent("err"), encoding: .utf8)) ?? ""
    }

    func expect(_ number: Int) async throws {
      #expect(try await follower.line() == "{\"number\":\"\(number)\"}")
    }

    /// Puts new content in the place of the old one, in the same file.
    func truncate(_ text: String) throws {
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try file.truncate(atOffset: 0)
      try file.write(contentsOf: Data(text.utf8))
      try file.close()
    }

    /// Ends the run, and returns the lines of standard error that tell of truncations.
    func end() -> [String] {
      #expect(follower.stop(SIGTERM) == 0)
      #expect(follower.rest().isEmpty)
      return errorText.split(separator: "\n").map(String.init).filter { $0.contains(": truncated") }
    }
  }

  @Test func truncatedFileIsReadFromItsNewStart() async throws {
    let run = try Run((1...4).map { Self.line($0) }.joined())
    for number in 1...4 { try await run.expect(number) }
    try run.truncate(Self.line(5))
    try await run.expect(5)
    try run.follower.append(run.path, Self.line(6))
    try await run.expect(6)
    let notices = run.end()
    #expect(notices.count == 1 && notices.first?.contains("/log: truncated while it was followed") == true)
    #expect(run.errorText.contains("\"truncations\":1,"), "\(run.errorText)")
  }

  /// Between two looks the file was truncated and has grown to the old size, or beyond it.
  @Test(arguments: [0, 1, 5])
  func regrownFileIsReadFromItsNewStart(_ more: Int) async throws {
    let run = try Run(Self.line(1) + Self.line(2))
    for number in 1...2 { try await run.expect(number) }
    kill(run.follower.identifier, SIGSTOP)
    try run.truncate((3...4 + more).map { Self.line($0) }.joined())
    kill(run.follower.identifier, SIGCONT)
    for number in 3...4 + more { try await run.expect(number) }
    #expect(run.end().count == 1)
  }

  @Test func unfinishedLineBeforeTruncationIsDroppedAndCounted() async throws {
    let run = try Run(Self.line(1))
    try await run.expect(1)
    try run.follower.append(run.path, Self.line(2) + Self.line(3).prefix(30))
    try await run.expect(2)
    try run.truncate(Self.line(4))
    try await run.expect(4)
    #expect(run.end().count == 1)
    #expect(run.errorText.contains("\"truncated\":1,"), "\(run.errorText)")
    #expect(run.errorText.contains("\"bad\":0,"), "\(run.errorText)")
  }

  /// A writer without O_APPEND goes on where it was, and leaves a hole at the start.
  @Test func writerThatKeepsItsOffsetIsFollowed() async throws {
    let run = try Run("")
    let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: run.path))
    try writer.write(contentsOf: Data((Self.line(1) + Self.line(2)).utf8))
    for number in 1...2 { try await run.expect(number) }
    #expect(truncate(run.path, 0) == 0)
    for number in 3...5 {
      try writer.write(contentsOf: Data(Self.line(number).utf8))
      try await run.expect(number)
    }
    #expect(run.end().count == 1)
    #expect(run.errorText.contains("\"bad\":0,"), "\(run.errorText)")
  }

  @Test func manyTruncationsGiveFewWarnings() async throws {
    let run = try Run(Self.line(0))
    try await run.expect(0)
    for number in 1...60 {
      // Longer and shorter than the one before.
      try run.truncate(Self.line(number, String(repeating: "x", count: number * 37 % 11)))
      try await run.expect(number)
    }
    let notices = run.end()
    #expect((1...60).contains(notices.count))
    #expect(run.errorText.contains("\"truncations\":60,"), "\(run.errorText)")
  }
}
