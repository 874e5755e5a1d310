import Foundation
import TestSupport
import Testing

/// The cursor file: it never stands behind a record that its reader does not have.
@Suite(.ownThreads) struct CursorTests {
  /// A journal of `count` entries of about 130 bytes of NDJSON, and a place for a cursor.
  private struct Fixture {
    let folder: TemporaryFolder
    let journal: String
    let cursor: String

    init(_ count: Int) throws {
      folder = try TemporaryFolder()
      let padding = String(repeating: "x", count: 100)
      journal = try Journal.make(
        (0..<count).map {
          Journal.entry(
            $0, Journal.text([("MESSAGE", "m \($0) \(padding)"), ("SYSLOG_IDENTIFIER", "kata")]))
        }, in: folder)
      cursor = folder.url.appendingPathComponent("cursor").path
    }

    var arguments: [String] { ["--journal-file", journal, "--cursor-file", cursor] }
    var ndjson: [String] { arguments + ["--output-format", "ndjson", "--fields", "msg"] }
    var hasCursor: Bool { FileManager.default.fileExists(atPath: cursor) }

    /// How many entries a run gives that reads on from the cursor.
    func left() throws -> Int { try Tool.run(ndjson).text.split(separator: "\n").count }

    /// The number of the entry that the cursor stands on, from 1; 0 when there is no cursor.
    func position() throws -> Int {
      guard let text = try? String(contentsOfFile: cursor, encoding: .utf8) else { return 0 }
      let part = try #require(text.split(separator: ";").first { $0.hasPrefix("i=") })
      return try #require(Int(part.dropFirst(2), radix: 16))
    }
  }

  @Test(arguments: ["ndjson", "json", "pretty", "csv"], PipedRun.Channel.allCases)
  func readerThatLeavesEarlyLeavesCursorAlone(_ format: String, _ channel: PipedRun.Channel) throws {
    let fixture = try Fixture(200)
    let run = try PipedRun(fixture.arguments + ["--output-format", format], over: channel)
    run.read(upTo: 1)
    run.close()
    #expect(run.status() == 0)
    #expect(!fixture.hasCursor)
    #expect(try fixture.left() == 200)
    #expect(try fixture.position() == 200)
  }

  @Test(arguments: PipedRun.Channel.allCases)
  func existingCursorStaysWhenReaderLeavesEarly(_ channel: PipedRun.Channel) throws {
    let fixture = try Fixture(100)
    #expect(try Tool.run(fixture.ndjson + ["--until", "@1772686914.009"]).status == 0)
    #expect(try fixture.position() == 10)
    let before = try Data(contentsOf: URL(fileURLWithPath: fixture.cursor))
    let run = try PipedRun(fixture.ndjson, over: channel)
    run.read(upTo: 100)
    run.close()
    #expect(run.status() == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.cursor)) == before)
    #expect(try fixture.left() == 90)
  }

  /// The reader is slow, not gone: the run waits for it with everything written, and notes the cursor behind its back.
  @Test(arguments: PipedRun.Channel.allCases, [[], ["--reorder-window", "1s"]])
  func slowReaderIsWaitedFor(_ channel: PipedRun.Channel, _ options: [String]) throws {
    let fixture = try Fixture(100)
    let size = try Tool.run(["--journal-file", fixture.journal] + fixture.ndjson.suffix(4)).output.count
    let run = try PipedRun(fixture.ndjson + options, over: channel)
    #expect(run.waits { run.unread == size })
    run.read(upTo: size - 1)
    #expect(run.isRunning && !fixture.hasCursor)
    run.read()
    #expect(run.status() == 0 && run.lines.count == 100)
    #expect(try fixture.position() == 100)
  }

  @Test func signalEndsTheWaitForASlowReader() throws {
    let fixture = try Fixture(100)
    let run = try PipedRun(fixture.ndjson)
    #expect(run.waits { run.unread > 0 })
    run.signal(SIGTERM)
    #expect(run.status() == -SIGTERM)
    #expect(!fixture.hasCursor)
  }

  /// A follower whose reader does not read at all still ends when it is told to.
  @Test(arguments: PipedRun.Channel.allCases)
  func signalEndsFollowerWithFullPipe(_ channel: PipedRun.Channel) throws {
    let fixture = try Fixture(4000)
    let run = try PipedRun(fixture.ndjson + ["--follow"], over: channel)
    // The pipe is full when nothing more comes in for ten looks.
    var last = 0
    var looks = 0
    #expect(
      run.waits {
        Deadline.pause(seconds: 0.02)
        looks = run.unread == last ? looks + 1 : 0
        last = run.unread
        return last > 0 && looks == 10
      })
    run.signal(SIGTERM)
    #expect(run.status() == 0)
    #expect(!fixture.hasCursor)
  }

  @Test func followerNotesWhatItsReaderHasHadForASecond() throws {
    let fixture = try Fixture(50)
    let run = try PipedRun(fixture.ndjson + ["--follow"])
    #expect(run.waits { run.unread > 0 })
    run.read(upTo: 3000)
    #expect(!fixture.hasCursor)
    #expect(
      run.waits {
        run.readWaiting()
        return fixture.hasCursor
      })
    #expect(run.lines.count == 50)
    #expect(try fixture.position() == 50)
    run.signal(SIGTERM)
    #expect(run.status() == 0)
  }

  @Test func unfinishedLineInOutputIsEndedBeforeTheNextRun() throws {
    let fixture = try Fixture(40)
    let out = fixture.folder.url.appendingPathComponent("out").path
    let command = try "'\(Tool.path)' \(fixture.ndjson.joined(separator: " ")) >>'\(out)'"
    // As on a full disk: the write that does not fit is cut.
    let limited = try Tool.run("/bin/bash", ["-c", "trap '' XFSZ; ulimit -f 4; \(command)"])
    #expect(limited.status == 1 && !fixture.hasCursor, "\(limited.errorText)")
    let cut = try Data(contentsOf: URL(fileURLWithPath: out))
    #expect(cut.count == 4096 && cut.last != 0x0a)
    #expect(try Tool.run("/bin/bash", ["-c", command]).status == 0)
    let lines = try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n")
    #expect(lines.suffix(40).allSatisfy { $0.hasSuffix("\"}") })
    #expect(Set(lines.filter { $0.hasSuffix("\"}") }).count == 40)
  }

  @Test func outputFileIsWrittenBeforeTheCursor() throws {
    let fixture = try Fixture(40)
    let out = fixture.folder.url.appendingPathComponent("out").path
    let command = try "'\(Tool.path)' \(fixture.ndjson.joined(separator: " ")) --output-file '\(out)'"
    let limited = try Tool.run("/bin/bash", ["-c", "trap '' XFSZ; ulimit -f 4; \(command)"])
    #expect(limited.status == 1 && !fixture.hasCursor && !FileManager.default.fileExists(atPath: out))
    // Until it is told to end, a follower's file has no name, and nothing in it counts as written.
    let run = try PipedRun(fixture.ndjson + ["--follow", "--output-file", out])
    Deadline.pause(seconds: 1.5)
    #expect(!fixture.hasCursor)
    run.signal(SIGTERM)
    #expect(run.status() == 0)
    #expect(try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n").count == 40)
    #expect(try fixture.position() == 40)
  }

  // MARK: - Ends of every kind at random moments

  private enum End: CaseIterable {
    case kill, terminate, close, fullDisk, followKill, followTerminate, followClose, followLives, followFile,
      none
  }

  /// Fifty runs in a row that share a cursor, each ended somehow; four times.
  @Test(arguments: [11, 12, 13, 14] as [UInt64])
  func randomEndsLoseNothing(_ seed: UInt64) throws {
    let fixture = try Fixture(Self.count)
    var generator = SplitMix64(state: seed)
    var seen: Set<String> = []
    var total = 0
    var passes = 1
    var ends = [String: Int]()
    for round in 0..<50 {
      let end =
        round < End.allCases.count
        ? End.allCases[round]
        : End.allCases.filter { $0 != .followLives }.randomElement(using: &generator) ?? .kill
      ends["\(end)", default: 0] += 1
      let lines = try play(end, fixture, &generator)
      total += lines.count
      seen.formUnion(lines)
      let position = try fixture.position()
      let missing = (0..<position).filter { !seen.contains(Self.line($0)) }
      guard missing.isEmpty else {
        Issue.record("seed \(seed), round \(round), \(end): \(missing.count) lost, first \(missing[0])")
        return
      }
      if position == Self.count {
        // All is read: once more from the start.
        try FileManager.default.removeItem(atPath: fixture.cursor)
        seen = []
        passes += 1
      }
    }
    let rest = try Tool.run(fixture.ndjson).text.split(separator: "\n").map(String.init)
    seen.formUnion(rest)
    total += rest.count
    #expect(seen == Set((0..<Self.count).map(Self.line)), "seed \(seed)")
    #expect(ends.count == End.allCases.count)
    let records = passes * Self.count
    print("seed \(seed): \(records) records, \(total) read, \(total - records) of them again; \(ends)")
  }

  private static let count = 1500

  private static func line(_ number: Int) -> String {
    "{\"msg\":\"m \(number) \(String(repeating: "x", count: 100))\"}"
  }

  /// One run, and the whole lines that its reader has got.
  private func play(
    _ end: End, _ fixture: Fixture, _ generator: inout SplitMix64
  ) throws -> [String] {
    let bytes = Int.random(in: 0...40_000, using: &generator)
    // Few records at a time, so that the last round still has some.
    let until = try fixture.position() + Int.random(in: 1...300, using: &generator)
    let limited = fixture.ndjson + ["--until", String(format: "@%.3f", 1_772_686_914 + Double(until) / 1000)]
    switch end {
    case .fullDisk, .followFile: return try fill(end, fixture, limited, kilobytes: 1 + bytes / 2048)
    case .none:
      let run = try PipedRun(limited)
      run.read()
      #expect(run.status() == 0)
      return run.lines
    case .kill, .terminate, .close, .followKill, .followTerminate, .followClose, .followLives:
      let isFollowed = end != .kill && end != .terminate && end != .close
      let run = try PipedRun(isFollowed ? fixture.ndjson + ["--follow"] : limited)
      if end == .followLives {
        let before = try fixture.position()
        #expect(
          run.waits {
            run.readWaiting()
            return (try? fixture.position()) ?? 0 > before
          })
      } else if isFollowed {
        // There may be fewer bytes than that, and then no end comes.
        _ = run.waits {
          let had = run.output.count
          run.read(upTo: min(bytes, run.output.count + run.unread))
          if run.output.count >= bytes { return true }
          Deadline.pause(seconds: 0.01)
          return run.output.count > 0 && had == run.output.count && run.unread == 0
        }
      } else {
        run.read(upTo: bytes)
      }
      switch end {
      case .kill, .followKill: run.signal(SIGKILL)
      case .terminate, .followTerminate: run.signal(SIGTERM)
      default: run.close()
      }
      if end == .followClose || end == .followLives { run.signal(SIGTERM) }
      _ = run.status()
      // A reader that lives longer than the run reads the rest.
      if end != .close, end != .followClose, end != .followLives { run.read() }
      return run.lines
    }
  }

  /// A run whose output is appended to a file, up to a limit.
  private func fill(
    _ end: End, _ fixture: Fixture, _ limited: [String], kilobytes: Int
  ) throws -> [String] {
    let out = fixture.folder.url.appendingPathComponent("out").path
    _ = try fixture.folder.write("out", "cut")
    let arguments = end == .followFile ? fixture.ndjson + ["--follow"] : limited
    let command = try "exec '\(Tool.path)' \(arguments.joined(separator: " ")) >>'\(out)'"
    let stop = end == .followFile ? "timeout --preserve-status 0.2 " : ""
    _ = try Tool.run(
      "/bin/bash",
      ["-c", "trap '' XFSZ; ulimit -f \(kilobytes); \(stop)bash -c \"$0\"", command])
    let text = try String(contentsOfFile: out, encoding: .utf8)
    guard let last = text.lastIndex(of: "\n") else { return [] }
    let lines = text[..<last].split(separator: "\n").map(String.init)
    #expect(lines.first == "cut")
    return Array(lines.dropFirst())
  }
}
