import Foundation
import TestSupport
import Testing

/// Exporters that write files and standard output.
@Suite(.ownThreads) struct ForwarderFileTests {
  /// The spans of a Jaeger document, whose envelope and processes must be as the Jaeger UI needs them.
  private func jaegerSpans(_ data: Data) throws -> [SpanName] {
    let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(Set(document.keys) == ["data", "total", "limit", "offset", "errors"])
    var result: [SpanName] = []
    for trace in try #require(document["data"] as? [[String: Any]]) {
      let id = try #require(trace["traceID"] as? String)
      let processes = try #require(trace["processes"] as? [String: [String: Any]])
      for span in try #require(trace["spans"] as? [[String: Any]]) {
        #expect(span["traceID"] as? String == id)
        let process = processes[span["processID"] as? String ?? ""]
        #expect((process?["serviceName"] as? String)?.isEmpty == false)
        result.append(SpanName(trace: id, span: span["spanID"] as? String ?? ""))
      }
    }
    return result
  }

  private func jaegerFiles(_ directory: String) throws -> [String: [SpanName]] {
    var result: [String: [SpanName]] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.hasSuffix(".json") {
      let path = "\(directory)/\(name)"
      result[String(name.dropLast(5))] = try jaegerSpans(Data(contentsOf: URL(fileURLWithPath: path)))
    }
    return result
  }

  // MARK: A file a trace

  @Test func eachTraceHasItsFile() throws {
    let samples = try SampleSpans.all()
    let folder = try TemporaryFolder()
    let directory = folder.url.appendingPathComponent("traces").path
    let forwarder = try ForwarderProcess.ready(["--jaeger-json", directory], in: folder)
    try send(samples.frames.reduce(Data(), +), to: forwarder)
    try forwarder.waitForSpans(400)
    #expect(forwarder.stop() == 0, "\(forwarder.log)")
    let files = try jaegerFiles(directory)
    #expect(files.keys.sorted() == Set(samples.names.map(\.trace)).sorted())
    #expect(files.values.joined().sorted() == samples.names.sorted())
    for (trace, spans) in files { #expect(spans.allSatisfy { $0.trace == trace }) }
    // Nothing else lies there.
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == files.count)
  }

  @Test func aReaderNeverSeesHalfAFile() throws {
    let folder = try TemporaryFolder()
    let directory = folder.url.appendingPathComponent("traces").path
    let forwarder = try ForwarderProcess.ready(["--jaeger-json", directory], in: folder)
    let file = "\(directory)/\(Frames.name(trace: 5, span: 1).trace).json"
    var seen = Set<Int>()
    let agent = try LocalSocket(path: forwarder.agentSocket)
    for round in 0..<60 {
      try agent.write(Frames.spans(trace: 5, UInt64(round * 10 + 1)..<UInt64(round * 10 + 11), padding: 200))
      if let data = FileManager.default.contents(atPath: file) { seen.insert(try jaegerSpans(data).count) }
    }
    try forwarder.wait("the file is replaced while spans come") {
      if let data = FileManager.default.contents(atPath: file) { seen.insert(try jaegerSpans(data).count) }
      return seen.contains(600)
    }
    #expect(forwarder.stop() == 0)
    #expect(try jaegerFiles(directory).values.joined().count == 600)
  }

  @Test func killedForwarderContinuesItsFilesWithoutDuplicates() throws {
    let folder = try TemporaryFolder()
    let directory = folder.url.appendingPathComponent("traces").path
    let arguments = ["--jaeger-json", directory]
    for round in 0..<4 {
      let forwarder = try ForwarderProcess.ready(arguments, in: folder)
      let first = UInt64(round * 50 + 1)
      try send(Frames.spans(trace: 1, first..<first + 50), to: forwarder)
      try forwarder.waitForSpans(50)
      if round % 2 == 0 {
        #expect(forwarder.stop(SIGKILL) == -SIGKILL)
      } else {
        #expect(forwarder.stop() == 0)
      }
    }
    let spans = try jaegerFiles(directory).values.joined()
    #expect(spans.sorted() == (1..<201).map { Frames.name(trace: 1, span: UInt64($0)) }.sorted())
  }

  @Test func oldTracesGo() throws {
    let folder = try TemporaryFolder()
    let directory = try folder.make("traces").path
    for number in 0..<20 {
      let path = "\(directory)/\(Frames.name(trace: UInt64(1000 + number), span: 1).trace).json"
      try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
      var times = [timeval](repeating: timeval(tv_sec: 1_600_000_000 + number, tv_usec: 0), count: 2)
      #expect(utimes(path, &times) == 0)
    }
    _ = try folder.write("traces/somebody-elses.json", "{}")
    let forwarder = try ForwarderProcess.ready(
      ["--jaeger-json", directory, "--jaeger-json-max-files", "3"], in: folder)
    try forwarder.wait("the oldest are deleted") {
      try FileManager.default.contentsOfDirectory(atPath: directory).count == 4
    }
    #expect(forwarder.stop() == 0)
    let left = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    #expect(
      left
        == ([1017, 1018, 1019].map { "\(Frames.name(trace: UInt64($0), span: 1).trace).json" } + [
          "somebody-elses.json"
        ])
        .sorted())
  }

  @Test func traceFileSizeIsBounded() throws {
    let folder = try TemporaryFolder()
    let directory = folder.url.appendingPathComponent("traces").path
    let forwarder = try ForwarderProcess.ready(["--jaeger-json", directory], in: folder)
    // One guest that puts all into one trace.
    for round in 0..<12 {
      try send(
        Frames.spans(trace: 1, UInt64(round * 4 + 1)..<UInt64(round * 4 + 5), padding: 1_000_000),
        to: forwarder)
    }
    try send(Frames.span(trace: 2, span: 1), to: forwarder)
    try forwarder.waitForSpans(49)
    try forwarder.wait("all are done with", seconds: 120) {
      try forwarder.metric("exporter_lag_spans{exporter=\"jaeger-json\"}") == 0
    }
    let refused = try forwarder.metric("spans_refused_by_collector_total{exporter=\"jaeger-json\"}")
    let lost = try forwarder.metrics()[#"kata_forwarder_spans_lost_total{cause="set_aside"}"#]
    #expect(lost == Double(refused))
    #expect(forwarder.stop() == 1)
    let files = try jaegerFiles(directory)
    #expect(files[Frames.name(trace: 2, span: 1).trace]?.count == 1)
    #expect(files[Frames.name(trace: 1, span: 1).trace]?.count == 48 - refused && refused > 0)
    #expect(forwarder.log.contains("is full: 33554432 bytes"))
  }

  // MARK: One file

  @Test func everythingIsInOneFileAtTheEnd() throws {
    let samples = try SampleSpans.all()
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("all.json")
    let forwarder = try ForwarderProcess.ready(["--jaeger-json-file", file.path], in: folder)
    try send(samples.frames.reduce(Data(), +), to: forwarder)
    try forwarder.waitForSpans(400)
    try forwarder.wait("they are taken") {
      try forwarder.metric("spans_exported_total{exporter=\"jaeger-json-file\"}") == 400
    }
    #expect(!FileManager.default.fileExists(atPath: file.path))
    forwarder.signal(SIGHUP)
    try forwarder.wait("it is written when asked for") {
      FileManager.default.fileExists(atPath: file.path)
    }
    #expect(try jaegerSpans(Data(contentsOf: file)).sorted() == samples.names.sorted())
    try send(Frames.spans(trace: 3, 1..<11), to: forwarder)
    try forwarder.waitForSpans(410)
    #expect(forwarder.stop() == 0)
    let expected = samples.names + (1..<11).map { Frames.name(trace: 3, span: $0) }
    #expect(try jaegerSpans(Data(contentsOf: file)).sorted() == expected.sorted())
    #expect(!FileManager.default.fileExists(atPath: "\(file.path).partial"))

    // The next run puts it aside and does not write over it; a run without spans leaves it.
    #expect(try ForwarderProcess.ready(["--jaeger-json-file", file.path], in: folder).stop() == 0)
    #expect(try jaegerSpans(Data(contentsOf: file)).count == 410)
    let next = try ForwarderProcess.ready(["--jaeger-json-file", file.path], in: folder)
    try send(Frames.span(trace: 4, span: 1), to: next)
    try next.waitForSpans(1)
    #expect(next.stop() == 0)
    #expect(try jaegerSpans(Data(contentsOf: file)) == [Frames.name(trace: 4, span: 1)])
    let aside = URL(fileURLWithPath: "\(file.path).1")
    #expect(try jaegerSpans(Data(contentsOf: aside)).sorted() == expected.sorted())
  }

  @Test func whatAKilledForwarderTookIsInTheFileOfTheNext() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("all.json")
    let forwarder = try ForwarderProcess.ready(["--jaeger-json-file", file.path], in: folder)
    try send(Frames.spans(trace: 1, 1..<101), to: forwarder)
    try forwarder.waitForSpans(100)
    try forwarder.wait("they are taken") {
      try forwarder.metric("spans_exported_total{exporter=\"jaeger-json-file\"}") == 100
    }
    #expect(forwarder.stop(SIGKILL) == -SIGKILL)
    // A crash may have cut the last record.
    let partial = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(file.path).partial"))
    try partial.seekToEnd()
    try partial.write(contentsOf: Data([200, 0, 0, 0, 1, 2, 3]))
    try partial.close()
    let next = try ForwarderProcess.ready(["--jaeger-json-file", file.path], in: folder)
    try send(Frames.spans(trace: 2, 1..<11), to: next)
    try next.waitForSpans(10)
    #expect(next.stop() == 0)
    let names = Set(try jaegerSpans(Data(contentsOf: file)))
    let expected =
      (1..<101).map { Frames.name(trace: 1, span: $0) } + (1..<11).map { Frames.name(trace: 2, span: $0) }
    #expect(names == Set(expected))
  }

  @Test func aFileThatCannotBeFinishedIsAFailure() throws {
    let folder = try TemporaryFolder()
    let place = try folder.make("place")
    let file = place.appendingPathComponent("all.json")
    let forwarder = try ForwarderProcess.ready(["--jaeger-json-file", file.path], in: folder)
    try send(Frames.span(trace: 1, span: 1), to: forwarder)
    try forwarder.wait("it is taken") {
      try forwarder.metric("spans_exported_total{exporter=\"jaeger-json-file\"}") == 1
    }
    // A directory where the finished file is to go.
    _ = try folder.make("place/all.json/x")
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("an exporter could not finish"))
  }

  @Test func theOneFileIsRotated() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("all.json").path
    let arguments = [
      "--jaeger-json-file", file, "--rotate-size", "20K", "--rotate-keep", "100", "--batch-spans", "10",
    ]
    var forwarder = try ForwarderProcess.ready(arguments, in: folder)
    try send(Frames.spans(trace: 1, 1..<101, padding: 500), to: forwarder)
    try forwarder.waitForSpans(100)
    try forwarder.wait("all is on disk") {
      try forwarder.metric("spans_exported_total{exporter=\"jaeger-json-file\"}") == 100
    }
    // What waits in the partial file counts in the next run too.
    #expect(forwarder.stop(SIGKILL) == -SIGKILL)
    forwarder = try .ready(arguments, in: folder)
    try send(Frames.spans(trace: 1, 101..<201, padding: 500), to: forwarder)
    try forwarder.waitForSpans(100)
    #expect(forwarder.stop() == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter {
      $0.hasPrefix("all.json")
    }
    #expect(names.count > 3)
    for name in names {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: folder.url.appendingPathComponent(name).path)
      #expect(try #require(attributes[.size] as? Int) <= 20 << 10, "\(name)")
    }
    let spans = try names.flatMap {
      try jaegerSpans(Data(contentsOf: folder.url.appendingPathComponent($0)))
    }
    // The one that was killed may not have noted how far it was.
    #expect(Set(spans) == Set((1..<201).map { Frames.name(trace: 1, span: UInt64($0)) }))
  }

  // MARK: OTLP JSON lines

  @Test func linesAreRotatedAndReopened() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--rotate-size", "20K", "--rotate-keep", "3", "--batch-spans", "10"],
      in: folder)
    try send(Frames.spans(trace: 1, 1..<201, padding: 500), to: forwarder)
    try forwarder.wait("they are written") {
      try forwarder.metric("spans_exported_total{exporter=\"otlp-json-file\"}") == 200
    }
    var names = try ["", ".1", ".2", ".3", ".4"].flatMap { try OTLPLines.names(file + $0) }
    #expect(!FileManager.default.fileExists(atPath: "\(file).4"))
    // The newest, in order, without a gap.
    #expect(Set(names) == Set((201 - names.count..<201).map { Frames.name(trace: 1, span: UInt64($0)) }))
    #expect((30..<150).contains(names.count))

    // As logrotate does it.
    try FileManager.default.moveItem(atPath: file, toPath: "\(file).moved")
    forwarder.signal(SIGHUP)
    try forwarder.wait("it has heard") { forwarder.log.contains("files are reopened") }
    try send(Frames.spans(trace: 2, 1..<6), to: forwarder)
    try forwarder.waitForSpans(205)
    #expect(forwarder.stop() == 0)
    names = try OTLPLines.names(file)
    #expect(names == (1..<6).map { Frames.name(trace: 2, span: $0) })
  }

  // MARK: Standard output

  @Test func dumpsReadableSpansAndNoGuestsControlCharacters() throws {
    let samples = try SampleSpans.all()
    let before = Set(try temporaryDirectories())
    let forwarder = try ForwarderProcess.ready(["--dump-only"])
    let evil = Frames.span(trace: 1, span: 1, name: "\\u001b[31mred\\u0007\\n\\u009b")
    try send(samples.frames.reduce(Data(), +) + evil, to: forwarder)
    try forwarder.wait("they are written") {
      try forwarder.metric("spans_exported_total{exporter=\"dump\"}") == 401
    }
    #expect(Set(try temporaryDirectories()).subtracting(before).count >= 1)
    #expect(forwarder.stop() == 0)
    let text = String(decoding: forwarder.output, as: UTF8.self)
    for name in samples.names { #expect(text.contains(name.trace) && text.contains(name.span)) }
    #expect(text.contains("red"))
    let controls = text.unicodeScalars.filter { $0.properties.generalCategory == .control && $0 != "\n" }
    #expect(controls.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: forwarder.path("spool")))
    let spool = forwarder.addresses["spool"]
    #expect(!FileManager.default.fileExists(atPath: try #require(spool)))
  }

  private func temporaryDirectories() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: FileManager.default.temporaryDirectory.path).filter {
      $0.hasPrefix("kata-trace-forwarder-")
    }
  }

  @Test func closedOutputEndsWithoutError() throws {
    let pipe = Pipe()
    let forwarder = try ForwarderProcess.ready(["--dump-only"], output: pipe.fileHandleForWriting)
    try pipe.fileHandleForWriting.close()
    try pipe.fileHandleForReading.close()
    try send(Frames.span(trace: 1, span: 1), to: forwarder)
    #expect(forwarder.exitStatus == 0)
    #expect(!forwarder.log.contains("level=error"))
  }

  @Test func outputWithoutReaderDoesNotKeepTheForwarderRunning() throws {
    let pipe = Pipe()
    let forwarder = try ForwarderProcess.ready(
      ["--dump-only", "--stop-timeout", "300ms"], output: pipe.fileHandleForWriting)
    try send(Frames.spans(trace: 1, 1..<501, padding: 1000), to: forwarder)
    try forwarder.waitForSpans(500)
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("spans are not delivered"))
    withExtendedLifetime(pipe) {}
  }
}
