import Foundation
import TestSupport
import Testing

/// The forwarder's command line: options, help, and what a wrong one is told.
@Suite(.ownThreads) struct ForwarderCommandLineTests {
  private func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Tool.Result {
    try Tool.run(ForwarderProcess.path, arguments, environment: environment)
  }

  @Test(arguments: [
    (["--otlp-endpont", "x"], "unknown option --otlp-endpont; did you mean --otlp-endpoint?"),
    (["--otlp-endpoint"], "--otlp-endpoint: a value is missing: URL"),
    (["--otlp-endpoint", "collector:4318"], "is not a URL: it must begin with http:// or https://"),
    (["--otlp-endpoint", "http://"], "is not a URL with a host"),
    (["--otlp-endpoint", "http://h:0"], "has no port from 1 to 65535"),
    (["--otlp-endpoint", "http://h:99999"], "has no port from 1 to 65535"),
    (["--otlp-endpoint", "http://collector:4317"], "gRPC, which is not supported"),
    (["--otlp-endpoint", "https://[::1]:4317/v1/traces"], "4318"),
    (["--otlp-protocol", "grpc", "--otlp-endpoint", "http://h"], "\"grpc\" is not one of"),
    (["--otlp-header", "a=b"], "--otlp-header is about a collector: give --otlp-endpoint as well"),
    (["--otlp-header", "nothing", "--otlp-endpoint", "http://h"], "is not NAME=VALUE"),
    (
      ["--otlp-header", "a=b\r\nc: d", "--otlp-endpoint", "http://h"],
      "a character that is not allowed in a header"
    ),
    (["--dump-only", "--jaeger-json", "d"], "--dump-only forwards nothing"),
    (["--query", "off"], "without an exporter or --query, spans would go nowhere"),
    (["--query", "here"], "is not an address"),
    (["--query", "127.0.0.1:70000"], "is not an address"),
    (["--query", "::1:80"], "is not an address"),
    (["--query-keep", "1M", "--otlp-json-file", "f"], "--query-keep needs --query"),
    (["--vsock-cid", "guest"], "is neither any nor a number"),
    (["--vsock-port", "4294967295"], "is not a port"),
    (["--socket-path", ""], "the path is empty"),
    (["--socket-path-template", "vm/{ID}/s"], "is not an absolute path that contains {ID} exactly once"),
    (["--socket-path-template", "/vm/s"], "is not an absolute path that contains {ID} exactly once"),
    (["--socket-path-template", "/{ID}/{ID}"], "is not an absolute path that contains {ID} exactly once"),
    (["--spool-max-size", "1K"], "is not a size from 256K"),
    (["--spool-full", "panic"], "is not one of block, drop-oldest"),
    (["--spool-sync-interval", "often"], "is not a duration"),
    (["--max-frame-size", "1G"], "is not a size from 1K to 32M"),
    (["--jaeger-port", "0"], "is not a number from 1 to 65535"),
    (["--log-level", "loud"], "is not one of trace"),
    (["--trace-name", ""], "the name is empty"),
    (["--generate", "pdf"], "is not one of man"),
    (["something"], "unexpected argument \"something\""),
    (["demo", "something"], "unexpected argument \"something\""),
  ])
  func wrongUseIsExplained(_ arguments: [String], _ message: String) throws {
    let result = try run(arguments)
    #expect(result.status == 2)
    #expect(
      result.errorText.hasPrefix("kata-trace-forwarder: ") && result.errorText.contains(message),
      "\(result.errorText)")
    #expect(result.errorText.hasSuffix("Try kata-trace-forwarder --help.\n"))
    #expect(result.output.isEmpty)
  }

  @Test(.enabled(if: ForwarderProcess.isRoot, "only root becomes another user: not tested"))
  func anUnknownUserIsExplained() throws {
    let forwarder = try ForwarderProcess(["--query", "127.0.0.1:0"], user: "nobody-of-this-name")
    #expect(forwarder.exitStatus == 1 && forwarder.log.contains("there is no such user"))
  }

  @Test(.enabled(if: ForwarderProcess.isRoot, "only root becomes another user: not tested"))
  func aDirectoryThatTheUserCannotWriteInIsExplained() throws {
    let folder = try TemporaryFolder()
    chmod(folder.url.path, 0o755)
    let forwarder = try ForwarderProcess(
      ["--otlp-json-file", folder.url.appendingPathComponent("spans.json").path], in: folder, user: "nobody")
    #expect(forwarder.exitStatus == 1)
    #expect(forwarder.log.contains("(--otlp-json-file): let the forwarder's user write there"))
  }

  @Test func aKernelWithoutTheRightVSOCKIsExplainedWhenAskedFor() throws {
    // No context id but the machine's own can be bound; this one is nobody's.
    let forwarder = try ForwarderProcess(["--vsock-cid", "4294967293", "--query", "127.0.0.1:0"])
    #expect(forwarder.exitStatus == 1)
    #expect(forwarder.log.contains("vsock:4294967293:10240"))
  }

  @Test func everyOptionIsInEveryText() throws {
    let long = try run(["--help"])
    let pattern = try NSRegularExpression(
      pattern: "^  (?:-., |    )--([a-z-]+)", options: .anchorsMatchLines)
    let range = NSRange(long.text.startIndex..., in: long.text)
    let names = pattern.matches(in: long.text, range: range).compactMap { match in
      Range(match.range(at: 1), in: long.text).map { String(long.text[$0]) }
    }
    #expect(names.count == Set(names).count)
    for name in [
      "vsock-cid", "vsock-port", "socket-path", "socket-path-template", "user", "jaeger-json",
      "jaeger-json-file",
      "otlp-endpoint", "jaeger-host", "jaeger-port", "otlp-json-file", "dump-only", "trace-name", "log-level",
      "query", "spool-dir", "spool-max-size", "spool-full",
    ] { #expect(names.contains(name), "\(name)") }
    let texts = [
      try run(["-h"]).text, try run(["--generate", "man"]).text.replacingOccurrences(of: "\\-", with: "-"),
      try run(["--generate", "complete-bash"]).text, try run(["--generate", "complete-zsh"]).text,
    ]
    let fish = try run(["--generate", "complete-fish"]).text
    for name in names {
      for text in texts { #expect(text.contains("--\(name)"), "\(name)") }
      #expect(fish.contains("-l \(name)"))
    }
    #expect(long.status == 0 && long.errorText.isEmpty)
    // The private argument of the helper is nobody's business.
    for text in texts + [long.text, fish] { #expect(!text.contains("privileged-helper")) }
  }

  @Test func manualPageHasItsSections() throws {
    let page = try run(["--generate", "man"]).text
    for section in [
      "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "FILES", "SEE ALSO",
    ] {
      #expect(page.contains("\n.SH \(section)\n"))
    }
  }

  @Test func completionScriptsAreValid() throws {
    let folder = try TemporaryFolder()
    let script = try folder.write("complete", try run(["--generate", "complete-bash"]).text)
    let code = """
      source '\(script)'; COMP_WORDS=(kata-trace-forwarder --spool-full d); COMP_CWORD=2; _kata_trace_forwarder
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    #expect(try Tool.run("/bin/bash", ["-c", code]).text == "drop-oldest\n")
  }

  @Test func versionAndClosedOutput() throws {
    #expect(try run(["--version"]).text.hasPrefix("kata-trace-forwarder "))
    let code = try "'\(ForwarderProcess.path)' --help | head -0; echo ${PIPESTATUS[0]}"
    #expect(try Tool.run("/bin/bash", ["-c", code]).text == "0\n")
    let full = try Tool.run("/bin/bash", ["-c", "'\(ForwarderProcess.path)' --help >/dev/full"])
    #expect(full.status == 1 && full.errorText.contains("No space left on device"))
  }

  @Test func theHelperAloneDoesNothing() throws {
    #expect(try run(["--privileged-helper"]).status == 2)
    #expect(try run(["--privileged-helper", "x", "info", "/a/{ID}"]).status == 2)
  }
}
