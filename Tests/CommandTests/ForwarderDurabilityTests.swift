import Foundation
import TestSupport
import Testing

/// Files of exporters: on disk before their spans are acknowledged, and never written over when another program changed
/// them.
@Suite(.ownThreads) struct ForwarderDurabilityTests {
  private func waitUntilDelivered(_ forwarder: ForwarderProcess, _ spans: Int, _ exporter: String) throws {
    try forwarder.wait("they are delivered", seconds: 60) {
      try forwarder.metric("spans_exported_total{exporter=\"\(exporter)\"}") == spans
    }
  }

  // MARK: Syncs

  /// A system call of a thread, with the paths of its descriptors.
  private struct Call {
    var thread: Substring
    var text: Substring
    var name: Substring { text.prefix { $0 != "(" } }
    var isRename: Bool { name == "rename" || name == "renameat" }
  }

  private static let traced = "trace=write,pwrite64,fdatasync,fsync,rename,renameat,openat,unlink,ftruncate"

  private func calls(_ path: String) throws -> [Call] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").compactMap { line in
      guard let space = line.firstIndex(of: " ") else { return nil }
      let text = line[space...].drop { $0 == " " }
      return text.hasPrefix("<...") ? nil : Call(thread: line[..<space], text: text)
    }
  }

  private func strace(_ folder: TemporaryFolder, _ extra: [String] = []) -> [String] {
    ["/usr/bin/strace", "-f", "-y", "-qq", "-s", "16", "-e", Self.traced] + extra
      + ["-o", folder.url.appendingPathComponent("calls").path]
  }

  private func stopTraced(_ forwarder: ForwarderProcess) throws -> Int32 {
    kill(try #require(forwarder.children.first), SIGTERM)
    return forwarder.exitStatus
  }

  @Test(arguments: ["otlp-json-file", "jaeger-json-file", "jaeger-json"])
  func aFileIsSyncedBeforeItsSpansAreAcknowledged(_ exporter: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("out").path
    let forwarder = try ForwarderProcess.ready(
      ["--\(exporter)", path], in: folder, prefix: strace(folder))
    try send(Frames.spans(trace: 1, 1..<101), to: forwarder)
    try waitUntilDelivered(forwarder, 100, exporter)
    try forwarder.wait("the position is written", seconds: 60) {
      FileManager.default.fileExists(atPath: forwarder.path("spool/\(exporter).position"))
    }
    #expect(try stopTraced(forwarder) == 0)
    let all = try calls(folder.url.appendingPathComponent("calls").path)
    // The exporter's thread does both, one after the other.
    let thread = try #require(all.last { $0.text.contains("\(exporter).position") }?.thread)
    let mine = all.filter { $0.thread == thread }
    let isContent: (Call) -> Bool = { $0.name == "write" && $0.text.contains("<\(path)") }
    let first = try #require(mine.firstIndex(where: isContent))
    let position = try #require(mine.firstIndex { $0.text.contains("\(exporter).position") })
    #expect(first < position)
    let before = mine[..<position]
    let lastWrite = try #require(before.lastIndex(where: isContent))
    let sync = try #require(before.lastIndex { $0.name == "fdatasync" && $0.text.contains("<\(path)") })
    let names = try #require(before.lastIndex { $0.name == "fsync" })
    #expect(lastWrite < sync && sync < names)
    if exporter == "jaeger-json" {
      let rename = try #require(before.lastIndex { $0.isRename && $0.text.contains(".json.tmp") })
      #expect(sync < rename && rename < names)
    }
    if exporter == "jaeger-json-file" {
      let document = try #require(mine.firstIndex { $0.isRename && $0.text.contains("\(path).tmp") })
      #expect(mine[..<document].contains { $0.name == "fdatasync" && $0.text.contains("\(path).tmp") })
      let gone = try #require(mine.firstIndex { $0.name == "unlink" && $0.text.contains(".partial") })
      #expect(mine[document..<gone].contains { $0.name == "fsync" })
    }
  }

  @Test func aFileIsSyncedBeforeItIsPutAside() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("out").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", path, "--rotate-size", "20K", "--batch-spans", "10"], in: folder,
      prefix: strace(folder))
    try send(Frames.spans(trace: 1, 1..<201, padding: 500), to: forwarder)
    try waitUntilDelivered(forwarder, 200, "otlp-json-file")
    #expect(try stopTraced(forwarder) == 0)
    var isDirty = false
    var rotations = 0
    for call in try calls(folder.url.appendingPathComponent("calls").path) {
      if call.name == "write", call.text.contains("<\(path)>") { isDirty = true }
      if call.name == "fdatasync", call.text.contains("<\(path)>") { isDirty = false }
      if call.name == "rename",
        call.text.contains("\"\(path)\", \"\(path).1\"") || call.text.contains("out.1")
      {
        #expect(!isDirty)
        rotations += 1
      }
    }
    #expect(rotations > 2)
  }

  /// Many batches in a second have one sync, not one each.
  @Test func oneSyncServesManyBatches() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("out").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", path, "--batch-spans", "1"], in: folder, prefix: strace(folder))
    try send(Frames.spans(trace: 1, 1..<301), to: forwarder)
    try waitUntilDelivered(forwarder, 300, "otlp-json-file")
    #expect(try stopTraced(forwarder) == 0)
    let all = try calls(folder.url.appendingPathComponent("calls").path).filter {
      $0.text.contains("<\(path)>")
    }
    let writes = all.filter { $0.name == "write" }.count
    let syncs = all.filter { $0.name == "fdatasync" }.count
    #expect(writes == 300)
    #expect((1..<100).contains(syncs))
  }

  /// A disk that fails says so once; what it lost is written again.
  @Test(arguments: ["otlp-json-file", "jaeger-json-file"])
  func whatADiskFailedToTakeIsWrittenAgain(_ exporter: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("out").path
    let written = exporter == "otlp-json-file" ? path : "\(path).partial"
    let forwarder = try ForwarderProcess.ready(
      ["--\(exporter)", path, "--retry-pause", "1ms"], in: folder,
      prefix: strace(folder, ["-P", written, "-e", "inject=fdatasync:error=EIO:when=1"]))
    try send(Frames.spans(trace: 1, 1..<101), to: forwarder)
    try waitUntilDelivered(forwarder, 100, exporter)
    #expect(try stopTraced(forwarder) == 0)
    #expect(forwarder.log.contains("fdatasync: Input/output error"))
    let all = try calls(folder.url.appendingPathComponent("calls").path)
    let failed = try #require(all.firstIndex { $0.name == "fdatasync" && $0.text.contains("EIO") })
    let again = all[failed...]
    #expect(again.contains { $0.name == "ftruncate" })
    #expect(again.contains { $0.name == "write" } && again.contains { $0.name == "fdatasync" })
    let spans =
      exporter == "otlp-json-file" ? try OTLPLines.names(path) : try spans(URL(fileURLWithPath: path))
    #expect(spans.sorted() == (1..<101).map { Frames.name(trace: 1, span: $0) }.sorted())
  }

  // MARK: Files that others change

  private func spans(_ file: URL) throws -> [SpanName] {
    let document = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    let traces = document?["data"] as? [[String: Any]] ?? []
    return traces.flatMap { $0["spans"] as? [[String: Any]] ?? [] }.map {
      SpanName(trace: $0["traceID"] as? String ?? "", span: $0["spanID"] as? String ?? "")
    }
  }

  enum Change: String, CaseIterable {
    case truncated, emptied, edited, reformatted, sorted, replaced
    func apply(_ file: URL) throws {
      let data = try Data(contentsOf: file)
      let text = String(decoding: data, as: UTF8.self)
      switch self {
      case .truncated: try data.prefix(data.count / 2).write(to: file)
      case .emptied: try Data().write(to: file)
      case .edited: try Data((text + "a note of mine").utf8).write(to: file)
      case .reformatted:
        _ = try Program.python(["-c", Self.dump("indent=3"), file.path])
      case .sorted: _ = try Program.python(["-c", Self.dump("sort_keys=True"), file.path])
      case .replaced: try Data("[1,2]\n".utf8).write(to: file)
      }
    }

    private static func dump(_ options: String) -> String {
      "import json,sys;d=json.load(open(sys.argv[1]));json.dump(d,open(sys.argv[1],'w'),\(options))"
    }
  }

  /// Changed while the forwarder has the trace in memory, and while it does not run.
  @Test(arguments: Change.allCases, [true, false])
  func aLateSpanLosesNothingOfAChangedFile(_ change: Change, _ isRunning: Bool) throws {
    let folder = try TemporaryFolder()
    let directory = folder.url.appendingPathComponent("traces")
    let file = directory.appendingPathComponent("\(Frames.name(trace: 1, span: 1).trace).json")
    var forwarder = try ForwarderProcess.ready(["--jaeger-json", directory.path], in: folder)
    // Without a root, so that the trace stays in memory for a while.
    let early = (1..<11).reduce(Data()) { $0 + Frames.span(trace: 1, span: UInt64($1), parent: 99) }
    try send(early, to: forwarder)
    try waitUntilDelivered(forwarder, 10, "jaeger-json")
    #expect(try spans(file).count == 10)
    if !isRunning { #expect(forwarder.stop() == 0) }
    try change.apply(file)
    let changed = try Data(contentsOf: file)
    if !isRunning { forwarder = try ForwarderProcess.ready(["--jaeger-json", directory.path], in: folder) }
    try send(Frames.span(trace: 1, span: 11, parent: 99), to: forwarder)
    try waitUntilDelivered(forwarder, isRunning ? 11 : 1, "jaeger-json")
    #expect(forwarder.stop() == 0)
    let kept = URL(fileURLWithPath: file.path + ".damaged")
    if change == .reformatted, !isRunning {
      // It is the trace still, so the span is added to it.
      #expect(try spans(file).count == 11)
      #expect(!FileManager.default.fileExists(atPath: kept.path))
    } else {
      #expect(try spans(file).count == (isRunning ? 11 : 1))
      #expect(try Data(contentsOf: kept) == changed)
      let lines = forwarder.log.split(separator: "\n").filter { $0.contains("changed by another program") }
      #expect(lines.count == 1 && lines[0].contains(kept.lastPathComponent))
    }
  }

  @Test func repeatedlyChangedFileIsKeptEachTime() throws {
    let folder = try TemporaryFolder()
    let directory = folder.url.appendingPathComponent("traces")
    let file = directory.appendingPathComponent("\(Frames.name(trace: 1, span: 1).trace).json")
    let forwarder = try ForwarderProcess.ready(
      ["--jaeger-json", directory.path, "--retry-pause", "1ms"], in: folder)
    try send(Frames.span(trace: 1, span: 1, parent: 99), to: forwarder)
    try waitUntilDelivered(forwarder, 1, "jaeger-json")
    for round in 1...9 {
      try Data("change \(round)".utf8).write(to: file)
      try send(Frames.span(trace: 1, span: UInt64(round + 1), parent: 99), to: forwarder)
      try waitUntilDelivered(forwarder, round + 1, "jaeger-json")
    }
    for round in 1...9 {
      let kept = round == 1 ? "\(file.path).damaged" : "\(file.path).damaged.\(round)"
      #expect(try String(contentsOfFile: kept, encoding: .utf8) == "change \(round)")
    }
    // There is no further name: the span waits until room is made.
    try Data("change 10".utf8).write(to: file)
    try send(Frames.span(trace: 1, span: 20, parent: 99), to: forwarder)
    try forwarder.wait("it says so", seconds: 60) { try forwarder.get("/readyz").text.contains(".damaged") }
    #expect(try String(contentsOf: file, encoding: .utf8) == "change 10")
    try FileManager.default.removeItem(atPath: "\(file.path).damaged")
    try waitUntilDelivered(forwarder, 11, "jaeger-json")
    #expect(try String(contentsOfFile: "\(file.path).damaged", encoding: .utf8) == "change 10")
    #expect(forwarder.stop() == 0)
  }
}
