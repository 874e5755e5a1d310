import Foundation
import TestSupport
import Testing

/// Inputs that pause: pipes whose writers are slow, and followed ones that do not grow.
@Suite(.ownThreads) struct PauseTests {
  private static let ndjson = ["--output-format", "ndjson", "--fields", "number"]

  private func record(_ number: Int) -> String { "{\"number\":\"\(number)\"}" }

  /// What a reorder window holds is written when nothing has come for so long; what is older then is late.
  @Test func followedFileGivesItsLastRecord() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("log", LogLines.text([3, 1, 2]))
    let errors = folder.url.path + "/err"
    let follower = try Follower(
      ["--follow", "--stats", "--reorder-window", "200ms", path] + Self.ndjson,
      prefix: ["/bin/bash", "-c", "exec \"$@\" 2>'\(errors)'", "bash"])
    for number in 1...3 { #expect(try await follower.line() == record(number)) }
    try follower.append(path, LogLines.text([0]))
    #expect(try await follower.line() == record(0))
    try follower.append(path, LogLines.text([5]))
    #expect(try await follower.line() == record(5))
    #expect(follower.stop(SIGTERM) == 0)
    let text = try String(contentsOfFile: errors, encoding: .utf8)
    #expect(text.contains("\"late\":1,"), "\(text)")
  }

  @Test func followedJournalGivesItsLastRecordAndNotesIt() async throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.make(
      (1...50).map {
        Journal.entry(
          $0, Journal.text([("MESSAGE", "m"), ("SYSLOG_IDENTIFIER", "kata"), ("NUMBER", "\($0)")]))
      }, in: folder)
    let cursor = folder.url.path + "/cursor"
    let run = try PipedRun(
      ["--follow", "--journal-file", journal, "--cursor-file", cursor, "--reorder-window", "100ms"]
        + Self.ndjson)
    #expect(
      run.waits {
        run.readWaiting()
        return run.lines.count == 50 && FileManager.default.fileExists(atPath: cursor)
      })
    run.signal(SIGTERM)
    #expect(run.status() == 0)
    let text = try String(contentsOfFile: cursor, encoding: .utf8)
    #expect(text.contains(";i=32;"), "\(text)")
  }

  /// What is due is written before the run waits for a pipe that has nothing.
  @Test(arguments: [1, 2])
  func pipeThatPausesHoldsNothingBack(_ count: Int) async throws {
    let folder = try TemporaryFolder()
    let names = (0..<count).map { folder.url.path + "/fifo\($0)" }
    for name in names { #expect(mkfifo(name, 0o600) == 0) }
    let follower = try Follower(["--reorder-window", "10ms"] + Self.ndjson + names)
    var writers: [FileHandle] = []
    for (index, name) in names.enumerated() {
      // Opening waits for the other side, which looks into each before it opens the next.
      let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: name))
      writers.append(writer)
      try writer.write(contentsOf: Data(LogLines.text(stride(from: index, to: 300, by: count)).utf8))
    }
    for number in 0..<280 { #expect(try await follower.line() == record(number)) }
    for writer in writers { try writer.close() }
    for number in 280..<300 { #expect(try await follower.line() == record(number)) }
  }

  /// A pipe ends, and its last line counts without a line end; what is wrong with it is said.
  @Test func pipeOnStandardInputIsReadToItsEnd() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("log", String(LogLines.text(1...3).dropLast()))
    let follow = try "'\(Tool.path)' --follow \(Self.ndjson.joined(separator: " ")) -"
    let whole = try Tool.run("/bin/bash", ["-c", "cat '\(path)' | \(follow)"])
    #expect(whole.status == 0 && whole.text.split(separator: "\n").map(String.init) == (1...3).map(record))
    let cut = try Tool.run("/bin/bash", ["-c", "gzip -c '\(path)' | head -c -6 | \(follow)"])
    #expect(cut.status == 1 && cut.errorText.contains("gzip failed"), "\(cut.errorText)")
    let empty = try Tool.run("/bin/bash", ["-c", "true | \(follow)"])
    #expect(empty.status == 0 && empty.output.isEmpty && empty.errorText.isEmpty, "\(empty.errorText)")
  }

  /// A follower waits for its reader when it is told to end, and no longer when it is told again.
  @Test(arguments: [SIGTERM, SIGINT])
  func secondSignalEndsTheWaitForTheReader(_ second: Int32) throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.make(
      (1...60).map { Journal.entry($0, Journal.text([("MESSAGE", "m"), ("SYSLOG_IDENTIFIER", "kata")])) },
      in: folder)
    let cursor = folder.url.path + "/cursor"
    let arguments = ["--follow", "--journal-file", journal, "--output-format", "ndjson", "--cursor-file"]
    let (other, run) = (try PipedRun(arguments + [cursor + "2"]), try PipedRun(arguments + [cursor]))
    for run in [other, run] {
      #expect(run.waits { run.unread > 5000 })
      run.signal(SIGTERM)
      // Taken by the run: it is no longer pending.
      #expect(run.waits { !run.isSignalPending(SIGTERM) })
    }
    run.signal(second)
    #expect(run.status() == 0)
    // One that was told earlier, but once, still waits.
    #expect(other.isRunning)
    other.signal(second)
    #expect(other.status() == 0)
    #expect(!FileManager.default.fileExists(atPath: cursor))
  }

  /// A reader that has everything when the run is told to end, and lives on, has its place noted.
  @Test(arguments: [0, 100, 400, 900] as [UInt32])
  func placeThatIsBeingProvedIsNotedAtTheEnd(_ milliseconds: UInt32) throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.make(
      (1...60).map { Journal.entry($0, Journal.text([("MESSAGE", "m"), ("SYSLOG_IDENTIFIER", "kata")])) },
      in: folder)
    let cursor = folder.url.path + "/cursor"
    let run = try PipedRun(
      ["--follow", "--journal-file", journal, "--cursor-file", cursor, "--output-format", "ndjson"])
    #expect(
      run.waits {
        run.readWaiting()
        return run.lines.count == 60
      })
    Deadline.pause(seconds: Double(milliseconds) / 1000)
    run.signal(SIGTERM)
    #expect(run.status() == 0)
    #expect((try? String(contentsOfFile: cursor, encoding: .utf8))?.contains(";i=3c;") == true)
  }

  /// Files that the kernel makes up have no size, and may have content, or fail to be read.
  @Test func fileWithoutASizeIsRead() throws {
    let folder = try TemporaryFolder()
    let good = try folder.write("a.log", LogLines.text(0..<10))
    let bad = folder.url.path + "/bad"
    try FileManager.default.createSymbolicLink(atPath: bad, withDestinationPath: "/proc/self/mem")
    let failed = try Tool.run(["--keep-going", good, bad] + Self.ndjson)
    #expect(failed.status == 1 && failed.text.split(separator: "\n").count == 10)
    #expect(failed.errorText.contains("\(bad): read: Input/output error"), "\(failed.errorText)")
    let made = try Tool.run(["/proc/version", "--output-format", "ndjson", "--fields", "msg"])
    #expect(made.status != 0 || made.text.contains("Linux version"), "\(made.errorText)")
    #expect(!(made.output.isEmpty && made.errorText.isEmpty))
    let empty = try Tool.run([try folder.write("empty", ""), good] + Self.ndjson)
    #expect(empty.status == 0 && empty.text.split(separator: "\n").count == 10)
  }
}
