import Foundation
import TestSupport
import Testing

/// What `--dump-only` shows a person of what a guest wrote.
@Suite(.ownThreads) struct ForwarderTerminalTests {
  @Test func aTerminalGetsColorsAndEscapesForWhatAGuestWrote() throws {
    let folder = try TemporaryFolder()
    let socket = folder.url.appendingPathComponent("agents.sock").path
    let shown = folder.url.appendingPathComponent("shown").path
    let command = try [
      ForwarderProcess.path, "--dump-only", "--user", "root", "--vsock=false", "--jaeger-receiver", "off",
      "--otlp-receiver", "off", "--metrics", "off", "--socket-path", socket,
    ].map { "'\($0)'" }.joined(separator: " ")
    let terminal = Process()
    terminal.executableURL = URL(fileURLWithPath: "/usr/bin/script")
    terminal.arguments = ["-qfec", "exec \(command)", shown]
    terminal.environment = ProcessInfo.processInfo.environment.merging(
      ["TERM": "xterm", "NO_COLOR": ""]) { $1 }
    terminal.standardInput = FileHandle.nullDevice
    terminal.standardOutput = FileHandle.nullDevice
    terminal.standardError = FileHandle.nullDevice
    try terminal.run()
    defer {
      terminal.terminate()
      terminal.waitUntilExit()
    }
    try Deadline.wait("it listens") { (try? LocalSocket(path: "\(socket)_10240")) != nil }
    let agent = try LocalSocket(path: "\(socket)_10240")
    try agent.write(Frames.span(trace: 1, span: 7, name: "a\u{9b}2J\u{202e}\u{2028}\u{fe0f}\u{e0041}é"))
    var text = ""
    try Deadline.wait("the span is shown") {
      text = String(decoding: FileManager.default.contents(atPath: shown) ?? Data(), as: UTF8.self)
      return text.contains("tags    ")
    }
    #expect(text.contains("\u{1b}[1m\"a\\u009b2J\\u202e\\u2028\\ufe0f\\U000e0041é\"\u{1b}[0m"), "\(text)")
  }
}
