import Bytes
import Foundation
import Glibc
import System

@testable import LogParser

/// What the tests of a run's parts share: files with given bytes, and records.
enum RunFixture {
  /// Calls `body` with a file that holds `text` and is removed afterwards.
  static func withFile<Result>(_ text: String, _ body: (InputPath) throws -> Result) throws -> Result {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data(text.utf8).write(to: url)
    return try body(InputPath(path: url.path))
  }

  /// A line of logfmt, whose time is `milliseconds` after some hour.
  static func line(_ milliseconds: Int, _ message: String = "m", rest: String = "") -> String {
    let time = String(
      format: "2026-03-05T05:%02d:%02d.%03d", milliseconds / 60_000, milliseconds / 1000 % 60,
      milliseconds % 1000)
    return "time=\"\(time)000000Z\" level=info msg=\"\(message)\" name=n pid=1 source=s\(rest)"
  }

  /// Makes `record` one of this time and message.
  static func fill(_ record: inout Record, _ seconds: Int64, _ message: String = "m", input: Int = 0) {
    record.reset()
    record.time = Timestamp(seconds: seconds)
    record.level = record.arena.copy("info" as StaticString)
    record.message = record.arena.copy(message)
    record.input = input
  }

  /// The output of all segments of a file, and what is wrong with its first bad line.
  static func render<F: RecordFormatter>(
    _ segments: [FileSegment], of input: InputPath, _ formatter: F, threads: Int = 1
  ) throws -> String {
    let file = RenderSource.File(try FileDescriptor.open(input.path, O_RDONLY), name: "f", input: 0)
    let source = RenderSource(
      reader: LogfmtRecord(rules: ReadingRules()), names: InputNames(["f"]), file: file)
    var all = OutputBuffer()
    var problem = ""
    var jobs = segments.makeIterator()
    formatter.begin(&all)
    OrderedWork.run(
      threads: threads, nextJob: { jobs.next().map { RenderJob.segment($0) } },
      makeWorker: { RecordRenderer(formatter, source, isAhead: false) },
      perform: { job, worker, out in worker.render(job, &out) },
      consume: { result, out in
        all.append(out.bytes)
        if let found = result.problem { problem = "\(found.line): \(found.1.reason)" }
        return result.problem == nil && result.failure == nil
      })
    return String(decoding: all.bytes, as: UTF8.self) + problem
  }

  /// Looks through a file, in ranges of this size.
  static func segments(
    of input: InputPath, threads: Int = 1, rangeSize: Int = 4 << 20, lineLimit: Int = 1 << 20
  ) throws -> [FileSegment]? {
    let file = try FileDescriptor.open(input.path, O_RDONLY)
    return SortedSegments(
      file, size: Int(try file.status("f").st_size), subject: "f", lineLimit: lineLimit,
      reader: LogfmtRecord(rules: ReadingRules()), threads: threads, rangeSize: rangeSize
    )?.segments
  }
}
