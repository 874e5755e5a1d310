import Foundation
import TestSupport
import Testing

/// The forwarder's receivers, with the real samples and clients that nobody here wrote.
@Suite(.ownThreads) struct ForwarderReceiverTests {
  private static let python = Repository.path(".build/venv/bin/python")
  private static let jaegerPython = Repository.path(".build/venv-jaeger/bin/python")

  @Test func everySampleFrameComesOutAsOTLP() throws {
    let samples = try SampleSpans.all()
    #expect(samples.frames.count == 400 && Set(samples.names).count == 400)
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(["--otlp-json-file", file], in: folder)
    try send(samples.frames.reduce(Data(), +), to: forwarder.agentSocket)
    try forwarder.waitForSpans(400)
    #expect(forwarder.stop() == 0)
    let items = try OTLPLines.read(file)
    #expect(items.map(\.name) == samples.names)
    let unparsed = try Tool.run(
      Self.python, [Repository.path("Tests/Support/otlp-names"), "json-lines", file])
    #expect(unparsed.status == 0, "\(unparsed.errorText)")
    #expect(
      unparsed.text.split(separator: "\n").map(String.init) == samples.names.map(\.description))
  }

  @Test func eachEncodingIsCounted() throws {
    let forwarder = try ForwarderProcess.ready(["--query", "127.0.0.1:0"])
    for encoding in SampleSpans.encodings {
      try send(try SampleSpans(encoding).frames.reduce(Data(), +), to: forwarder.agentSocket)
    }
    try forwarder.waitForSpans(400)
    let metrics = try forwarder.metrics()
    #expect(metrics["kata_forwarder_spans_decoded_total{encoding=\"bincode\"}"] == 200)
    #expect(metrics["kata_forwarder_spans_decoded_total{encoding=\"json\"}"] == 200)
    #expect(metrics["kata_forwarder_spans_received_total{receiver=\"hybrid\"}"] == 400)
    #expect(forwarder.stop() == 0)
  }

  @Test func sixtyFourAgentsAtOnce() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--max-connections-per-guest", "64"], in: folder)
    let path = forwarder.agentSocket
    let agents = try (0..<64).map { _ in try LocalSocket(path: path) }
    // Each sends half a frame, then all send the rest: none may wait for another.
    let spans = (0..<64).map { Frames.spans(trace: UInt64($0 + 1), 1..<21) }
    for (agent, data) in zip(agents, spans) { try agent.write(data.prefix(data.count / 2 + 7)) }
    for (agent, data) in zip(agents, spans).reversed() { try agent.write(data.dropFirst(data.count / 2 + 7)) }
    try forwarder.waitForSpans(64 * 20)
    #expect(forwarder.stop() == 0)
    let expected = Set(
      (0..<64).flatMap { trace in (1..<21).map { Frames.name(trace: UInt64(trace + 1), span: $0) } })
    let names = try OTLPLines.names(file)
    #expect(names.count == expected.count && Set(names) == expected)
  }

  // MARK: Templates

  @Test(
    .enabled(
      if: ForwarderProcess.isRoot, "only root can become another user: the privileged half is not tested"))
  func sandboxesComeAndGoWhileThePrivilegesAreApart() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.url.path)
    let early = try folder.make("vm/kata-early.d")
    let template = folder.url.appendingPathComponent("vm/kata-{ID}.d/clh.sock").path
    let deep = folder.url.appendingPathComponent("fc/{ID}/root/kata.hvsock").path
    let out = try folder.make("out")
    chmod(out.path, 0o777)
    let file = out.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--socket-path-template", template, "--socket-path-template", deep, "--otlp-json-file", file],
      in: folder, agents: false, user: nil)
    func socket(_ sandbox: String) -> String {
      folder.url.appendingPathComponent("vm/kata-\(sandbox).d/clh.sock_10240").path
    }
    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    // A socket is there a moment before it is listened on.
    func listens(_ path: String) -> Bool { (try? LocalSocket(path: path)) != nil }

    // The one that reads from guests is nobody and can get nothing back; its helper is root and the only other process.
    let nobody = Int(getpwnam("nobody").pointee.pw_uid)
    #expect(forwarder.status("Uid") == nobody && forwarder.status("Gid") != 0)
    #expect(forwarder.status("NoNewPrivs") == 1)
    let helper = try #require(forwarder.children.first)
    #expect(forwarder.children.count == 1)
    #expect(forwarder.status("Uid", of: helper) == 0 && forwarder.status("NoNewPrivs", of: helper) == 1)

    // A sandbox that was there before, one that comes, one with an invalid name, and one with an extra directory.
    try forwarder.wait("the early sandbox's socket") { listens(socket("early")) }
    let late = try folder.make("vm/kata-late.d")
    _ = try folder.make("vm/other")
    try forwarder.wait("the late sandbox's socket") { listens(socket("late")) }
    _ = try folder.make("fc/inner")
    let inner = folder.url.appendingPathComponent("fc/inner/root/kata.hvsock_10240").path
    _ = try folder.make("fc/inner/root")
    try forwarder.wait("the inner sandbox's socket") { listens(inner) }
    try forwarder.wait("the listeners") { try forwarder.metric("agent_listeners{receiver=\"hybrid\"}") == 3 }
    #expect(!exists(folder.url.appendingPathComponent("vm/other/clh.sock_10240").path))

    try send(Frames.spans(trace: 1, 1..<4), to: socket("early"))
    try send(Frames.spans(trace: 2, 1..<3), to: socket("late"))
    try send(Frames.spans(trace: 3, 1..<2), to: inner)
    try forwarder.waitForSpans(6)

    // A sandbox goes, and one comes back under its name.
    try FileManager.default.removeItem(at: late)
    try forwarder.wait("the late sandbox is gone") {
      try forwarder.metric("agent_listeners{receiver=\"hybrid\"}") == 2
    }
    _ = try folder.make("vm/kata-late.d")
    try forwarder.wait("the late sandbox's socket") { listens(socket("late")) }
    try send(Frames.spans(trace: 4, 1..<2), to: socket("late"))
    try forwarder.waitForSpans(7)
    // The directory of all of them goes and comes.
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("vm"))
    _ = early
    try forwarder.wait("all are gone") { try forwarder.metric("agent_listeners{receiver=\"hybrid\"}") == 1 }
    _ = try folder.make("vm/kata-again.d")
    try forwarder.wait("the socket after the directory came back") { listens(socket("again")) }

    #expect(forwarder.stop() == 0)
    try Deadline.wait("the helper ends and takes its sockets along") {
      !exists("/proc/\(helper)") && !exists(socket("again")) && !exists(inner)
    }
    let items = try OTLPLines.read(file)
    let sandboxes = Dictionary(grouping: items) { $0.resource["kata.sandbox.id"] ?? "none" }.mapValues(
      \.count)
    #expect(sandboxes == ["early": 3, "late": 3, "inner": 1])
  }

  @Test func sandboxesComeAndGoForAnOrdinaryUserToo() throws {
    let folder = try TemporaryFolder()
    let template = folder.url.appendingPathComponent("vm/{ID}/clh.sock").path
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--socket-path-template", template, "--otlp-json-file", file], in: folder, agents: false)
    _ = try folder.make("vm/one")
    let socket = folder.url.appendingPathComponent("vm/one/clh.sock_10240").path
    try forwarder.wait("the socket") { (try? LocalSocket(path: socket)) != nil }
    // What a guest says about its sandbox is not believed.
    let lie = String(decoding: Frames.span(trace: 9, span: 9).dropFirst(8), as: UTF8.self)
      .replacingOccurrences(
        of: "\"service.name\"", with: "\"kata.sandbox.id\":{\"String\":\"another\"},\"service.name\"")
    try send(Frames.frame(Data(lie.utf8)), to: socket)
    try forwarder.waitForSpans(1)
    #expect(forwarder.stop() == 0)
    #expect(try OTLPLines.read(file).map { $0.resource["kata.sandbox.id"] } == ["one"])
    try Deadline.wait("the socket goes") { !FileManager.default.fileExists(atPath: socket) }
  }

  // MARK: HTTP

  @Test func jaegerAndOpenTelemetryClientsAreReceived() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0"],
      in: folder, agents: false)
    let jaeger = try Tool.run(
      Self.jaegerPython,
      [Repository.path("Tests/Support/send-spans"), "jaeger", forwarder.addresses["jaeger"] ?? ""])
    #expect(jaeger.status == 0, "\(jaeger.errorText)")
    let otlp = try Tool.run(
      Self.python, [Repository.path("Tests/Support/send-spans"), "otlp", forwarder.addresses["otlp"] ?? ""])
    #expect(otlp.status == 0, "\(otlp.errorText)")
    let sent = (jaeger.text + otlp.text).split(separator: "\n").map(String.init)
    #expect(sent.count == 40)
    // And JSON, as a script sends it.
    let request =
      #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"script"}}]},"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"by hand","kind":2,"startTimeUnixNano":"1760000000000000000","endTimeUnixNano":"1760000000000001000"}]}]}]}"#
    let curl = try Tool.run(
      "/usr/bin/curl",
      [
        "-s", "-w", "%{http_code}", "-H", "Content-Type: application/json", "-d", request,
        "http://\(forwarder.addresses["otlp"] ?? "")/v1/traces",
      ])
    #expect(curl.text == "{}200")
    #expect(forwarder.stop() == 0)
    let items = try OTLPLines.read(file)
    #expect(
      items.map(\.name.description).sorted()
        == (sent + ["0102030405060708090a0b0c0d0e0f10/0102030405060708"]).sorted())
    #expect(Set(items.map { $0.resource["service.name"] }) == ["runtime", "application", "script"])
  }

  @Test func refusedHTTPRequestsAreExplained() throws {
    let forwarder = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0", "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0"],
      agents: false)
    let otlp = forwarder.addresses["otlp"] ?? ""
    let jaeger = forwarder.addresses["jaeger"] ?? ""
    let body = Data("{}".utf8)
    for (address, path, type) in [
      (otlp, "/v1/traces", "application/json"), (otlp, "/v1/traces", "application/x-protobuf"),
      (jaeger, "/api/traces", "application/x-thrift"),
    ] {
      let gzip = try HTTPAnswer.post(address, path, type: type, body, headers: "Content-Encoding: gzip\r\n")
      #expect(gzip.status == 415 && gzip.text.contains("compressed (gzip)"))
      #expect(gzip.head.contains("Accept-Encoding: identity"))
    }
    #expect(try HTTPAnswer.post(otlp, "/v1/traces", type: "text/plain", body).status == 415)
    #expect(try HTTPAnswer.post(jaeger, "/api/traces", type: "application/json", body).status == 415)
    #expect(try HTTPAnswer.get(otlp, "/v1/traces").status == 405)
    #expect(try HTTPAnswer.post(otlp, "/api/traces", type: "application/json", body).status == 404)
    for broken in ["", "{", "[]", "{\"resourceSpans\":7}"] {
      let answer = try HTTPAnswer.post(
        otlp, "/v1/traces", type: "application/json", Data(broken.utf8))
      #expect(answer.status == 400 && answer.text.contains("cannot be decoded"), "\(broken): \(answer.text)")
    }
    let answer = try HTTPAnswer.post(
      jaeger, "/api/traces", type: "application/x-thrift", Data([0x0c, 0, 1, 0x0b]))
    #expect(answer.status == 400 && answer.text.contains("cannot be decoded"))
    #expect(try forwarder.get("/healthz").status == 200)
    #expect(forwarder.stop() == 0)
  }

  // MARK: Sockets

  @Test func aPortThatIsTakenIsExplained() throws {
    let other = try LocalSocket(listeningOn: 0)
    let address = "127.0.0.1:\(other.port)"
    for option in ["--jaeger-receiver", "--otlp-receiver", "--query", "--metrics"] {
      let arguments = [option, address] + (option == "--query" ? [] : ["--query", "127.0.0.1:0"])
      let forwarder = try ForwarderProcess(arguments, agents: false)
      #expect(forwarder.exitStatus == 1)
      #expect(forwarder.log.contains("Address already in use"), "\(forwarder.log)")
      #expect(forwarder.log.contains("choose another with \(option), or off"), "\(forwarder.log)")
    }
  }

  @Test func receiversCanBeOff() throws {
    let forwarder = try ForwarderProcess.ready(["--query", "127.0.0.1:0", "--metrics", "off"])
    #expect(forwarder.addresses["jaeger"] == "off" && forwarder.addresses["otlp"] == "off")
    #expect(forwarder.addresses["metrics"] == "off")
    // The address of the queries tells of the forwarder as well.
    #expect(try forwarder.get("/metrics", at: "query").text.contains("kata_forwarder_spans_received_total"))
    #expect(forwarder.stop() == 0)
  }

  @Test func socketWithListenerIsNotTakenOver() throws {
    let first = try ForwarderProcess.ready(["--query", "127.0.0.1:0"])
    let spool = first.path("other-spool")
    let second = try ForwarderProcess(
      ["--query", "127.0.0.1:0", "--spool-dir", spool], in: first.folder)
    #expect(second.exitStatus == 1 && second.log.contains("Address already in use"))
    #expect(first.stop(SIGKILL) == -SIGKILL)
    // One that a killed forwarder left is.
    let third = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0", "--spool-dir", spool], in: first.folder)
    #expect(third.stop() == 0)
  }

  @Test func guestSpansWithoutServiceGetDefaultName() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--trace-name", "my agents"], in: folder)
    let text = String(decoding: Frames.span(trace: 1, span: 1).dropFirst(8), as: UTF8.self)
      .replacingOccurrences(
        of: "\"resource\":{\"attrs\":{\"service.name\":{\"String\":\"kata-agent\"}}}",
        with: "\"resource\":null")
    try send(Frames.frame(Data(text.utf8)), to: forwarder.agentSocket)
    try forwarder.waitForSpans(1)
    #expect(forwarder.stop() == 0)
    #expect(try OTLPLines.read(file).map { $0.resource["service.name"] } == ["my agents"])
  }
}
