import Foundation
import TestSupport
import Testing

/// Inputs by the names that a shell and the kernel give them, and text that is no plain UTF-8.
@Suite(.ownThreads) struct InputNameTests {
  private static let options = "--output-format ndjson --fields number"

  private func shell(_ script: String, in folder: TemporaryFolder) throws -> Tool.Result {
    try Tool.run("/bin/bash", ["-c", script], in: folder.url)
  }

  private func numbers(_ result: Tool.Result) -> [Int] {
    result.text.split(separator: "\n").compactMap { Int($0.filter(\.isNumber)) }
  }

  @Test(arguments: [
    "TOOL <(cat log)", "TOOL <(head -n 50 log) <(tail -n 50 log)", "cat log | TOOL /dev/stdin",
    "TOOL /dev/stdin <log", "cat log | TOOL /dev/fd/0", "cat log | TOOL /proc/self/fd/0",
    "exec 7< <(cat log); TOOL /dev/fd/7", "exec 7<log; TOOL /dev/fd/7", "exec 7<log; rm log; TOOL /dev/fd/7",
    "TOOL <(gzip -c log)", "TOOL --reorder-window 1s <(head -n 50 log) <(tail -n 50 log)",
    "TOOL --follow <(cat log)", "cat log | TOOL --follow /dev/stdin",
  ])
  func pipesAreReadByName(_ script: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("log", LogLines.text(0..<100))
    let command = try script.replacingOccurrences(of: "TOOL", with: "'\(Tool.path)' \(Self.options)")
    let result = try shell(command, in: folder)
    #expect(
      result.status == 0 && numbers(result) == Array(0..<100) && result.errorText.isEmpty,
      "\(result.errorText)")
  }

  @Test func socketIsReadByName() throws {
    let folder = try TemporaryFolder()
    let log = try folder.write("log", LogLines.text(0..<10))
    let script = """
      import socket, subprocess, sys
      a, b = socket.socketpair()
      a.sendall(open(sys.argv[2], 'rb').read()); a.close()
      command = [sys.argv[1], '--output-format', 'ndjson', '--fields', 'number', '/dev/stdin']
      sys.exit(subprocess.run(command, stdin=b).returncode)
      """
    let result = try Program.python(["-c", script, Tool.path, log])
    #expect(result.status == 0 && numbers(result) == Array(0..<10), "\(result.errorText)")
  }

  @Test(arguments: ["- -", "- /dev/stdin", "/dev/fd/0 -", "log - /proc/self/fd/0"])
  func standardInputIsReadOnce(_ names: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("log", LogLines.text(0..<3))
    let result = try shell("cat log | '\(Tool.path)' \(names)", in: folder)
    #expect(result.status == 1 && result.output.isEmpty)
    #expect(
      result.errorText.contains("standard input is named more than once, and can be read only once"),
      "\(result.errorText)")
  }

  @Test(arguments: ["UTF-16", "UTF-16LE", "UTF-16BE"], ["", "gzip -c |", "bzip2 -c |"])
  func utf16IsRead(_ encoding: String, _ pack: String) throws {
    let folder = try TemporaryFolder()
    let text = (0..<3000).map { LogLines.line($0, "größer 日本 😀") }.joined()
    try folder.write("log", text)
    let tool = try "'\(Tool.path)' --output-format ndjson --fields msg,number"
    let convert = "iconv -f UTF-8 -t \(encoding) log | \(pack) cat"
    let expected = try shell("\(tool) log", in: folder)
    let fromFile = try shell("\(convert) >wide; \(tool) wide", in: folder)
    let fromPipe = try shell("\(convert) | \(tool) -", in: folder)
    #expect(expected.text.contains("größer 日本 😀"))
    #expect(fromFile.output == expected.output && fromFile.errorText.isEmpty, "\(fromFile.errorText)")
    #expect(fromPipe.output == expected.output && fromPipe.errorText.isEmpty, "\(fromPipe.errorText)")
  }

  @Test(arguments: ["log", "- <log", "<(cat log)", "log.gz"])
  func byteOrderMarkIsSkipped(_ input: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("log", "\u{feff}" + LogLines.text(0..<3))
    let result = try shell("gzip -k log; '\(Tool.path)' \(Self.options) \(input)", in: folder)
    #expect(result.status == 0 && numbers(result) == [0, 1, 2], "\(result.errorText)")
    // The log format's original tool refuses it.
    let strict = try shell("gzip -kf log; '\(Tool.path)' --output-format csv \(input)", in: folder)
    #expect(strict.status == 1)
  }

  @Test func bzip2IsReadAndItsDamageReported() throws {
    let folder = try TemporaryFolder()
    try folder.write("log", LogLines.text(0..<20_000))
    let tool = try "'\(Tool.path)' \(Self.options)"
    let whole = try shell("bzip2 -k log; \(tool) log.bz2", in: folder)
    #expect(whole.status == 0 && numbers(whole) == Array(0..<20_000), "\(whole.errorText)")
    let piped = try shell("cat log.bz2 | \(tool) -", in: folder)
    #expect(piped.output == whole.output)
    let cut = try shell("head -c -100 log.bz2 >cut.bz2; \(tool) cut.bz2", in: folder)
    #expect(cut.status == 1 && cut.errorText.contains("cut.bz2: bzip2 failed"), "\(cut.errorText)")
    // Text that only begins like it is text.
    let text = try shell("printf 'BZh9 is no magic\\n' | '\(Tool.path)' --output-format ndjson -", in: folder)
    #expect(text.status == 0 && text.text.contains("BZh9 is no magic"), "\(text.errorText)")
  }
}
