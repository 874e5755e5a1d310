import Foundation
import TestSupport
import Testing

/// Inputs that are missing, unreadable or damaged, among others that are not.
@Suite(.ownThreads) struct DamagedInputTests {
  /// The numbers of the records that a run wrote as CSV or NDJSON with that field alone.
  private func numbers(_ result: Tool.Result) -> [Int] {
    result.text.split(separator: "\n").compactMap { Int($0.filter(\.isNumber)) }
  }

  private func shell(_ command: String, environment: [String: String] = [:]) throws -> Tool.Result {
    try Tool.run("/bin/bash", ["-c", command], environment: environment)
  }

  /// The ways in which everything readable is to be written.
  private static let tolerant = [
    ["--output-format", "ndjson"], ["--output-format", "ndjson", "--reorder-window", "1s"],
    ["--keep-going", "--output-format", "csv"],
    ["--keep-going", "--output-format", "csv", "--reorder-window", "1s"],
  ]

  @Test(arguments: tolerant)
  func oneBadInputLeavesTheOthers(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    let first = try folder.write("a.log", LogLines.text(0..<100))
    let second = try folder.write("b.log", LogLines.text(100..<200))
    let directory = try folder.make("logs").path
    for (bad, reason) in [
      (folder.url.path + "/none", "No such file or directory; check the path"),
      (directory, "\(directory): no log file in this directory; check the path"),
    ] {
      let result = try Tool.run(options + ["--fields", "number", "--stats", first, bad, second])
      #expect(result.status == 1 && numbers(result) == Array(0..<200), "\(options) \(result.errorText)")
      let lines = result.errorText.split(separator: "\n").filter { $0.contains(bad) }
      #expect(lines.count == 1 && lines.first?.contains(reason) ?? false, "\(result.errorText)")
      #expect(result.errorText.contains("\"failed_inputs\":1"))
    }
  }

  @Test(
    .enabled(if: getuid() == 0, "only root can become a user who may not read a file"), arguments: tolerant)
  func unreadableInputLeavesTheOthers(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    let good = try folder.write("a.log", LogLines.text(0..<100))
    let bad = try folder.write("b.log", LogLines.text(100..<200))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: bad)
    let result = try Tool.run(
      "/usr/bin/setpriv",
      ["--reuid=65534", "--clear-groups", Tool.path] + options + ["--fields", "number", good, bad])
    #expect(result.status == 1 && numbers(result) == Array(0..<100), "\(result.errorText)")
    #expect(result.errorText.contains("\(bad): open: Permission denied; run as root"))
  }

  /// A terminal's master whose other side is closed gives what was written, then EIO.
  @Test(arguments: tolerant)
  func readErrorKeepsWhatWasRead(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    let good = try folder.write("a.log", LogLines.text(100..<200))
    let part = try folder.write("part.log", LogLines.text(0..<20) + LogLines.line(20).prefix(30))
    let script = """
      import os, subprocess, sys, tty
      master, slave = os.openpty()
      tty.setraw(slave)
      os.write(slave, open(sys.argv[1], 'rb').read())
      os.close(slave)
      sys.exit(subprocess.run(sys.argv[2:], stdin=master).returncode)
      """
    let result = try Tool.run(
      "/usr/bin/python3", ["-c", script, part, Tool.path] + options + ["--fields", "number", "-", good])
    #expect(result.status == 1, "\(result.errorText)")
    #expect(numbers(result) == Array(0..<20) + Array(100..<200), "\(options)")
    #expect(result.errorText.contains("-: read: Input/output error after 20 lines; the device"))
  }

  @Test func documentFormatsStopAtABadInputByDefault() throws {
    let folder = try TemporaryFolder()
    let good = try folder.write("a.log", LogLines.text(0..<100))
    for options in [[], ["--reorder-window", "1s"]] {
      let result = try Tool.run(["--output-format", "csv"] + options + [good, folder.url.path + "/none"])
      #expect(result.status == 1 && result.output.isEmpty)
      #expect(result.errorText.contains("; --keep-going writes what can be read"), "\(result.errorText)")
    }
  }

  @Test func outputFileStaysWhenNothingCanBeRead() throws {
    let folder = try TemporaryFolder()
    let target = try folder.write("out", "before")
    let missing = ["x", "y"].map { folder.url.path + "/\($0)" }
    let result = try Tool.run(["--keep-going", "--output-file", target] + missing)
    #expect(result.status == 1 && result.errorText.contains("no input could be read"))
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "before")
  }

  /// All whole lines before a cut or a damaged place are written, by every tool and in every way.
  @Test(arguments: ["gzip", "xz", "zstd"])
  func damagedCompressedInputGivesWhatIsBeforeTheDamage(_ program: String) throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(state: 11)
    // Text that does not compress well, so that a cut is in the middle of it.
    let text = (0..<5000).map { LogLines.line($0, String(generator.next(), radix: 36)) }.joined()
    let plain = try folder.write("plain", text)
    let packed = folder.url.path + "/packed"
    _ = try shell("\(program) -c '\(plain)' >'\(packed)'")
    let whole = try Data(contentsOf: URL(fileURLWithPath: packed))
    var damaged = whole
    damaged[whole.count - 5] ^= 0x10
    for (name, bytes) in [("cut", whole.prefix(whole.count * 3 / 4)), ("damaged", damaged)] {
      let path = folder.url.path + "/" + name
      try bytes.write(to: URL(fileURLWithPath: path))
      let readable = try shell("\(program) -dc <'\(path)' 2>/dev/null | grep -c number=; true")
      var count = try #require(Int(readable.text.trimmingCharacters(in: .whitespacesAndNewlines)))
      if name == "cut" {
        #expect(count > 100)
        // The last line has its field and not its end, or has neither.
        let last = try shell("\(program) -dc <'\(path)' 2>/dev/null | tail -n 1")
        if !last.text.hasSuffix("\n"), last.text.contains("number=") { count -= 1 }
      }
      for options in Self.tolerant {
        let result = try Tool.run(options + ["--fields", "number", path])
        #expect(result.status == 1 && numbers(result) == Array(0..<count), "\(name) \(options)")
        #expect(
          result.errorText.contains("\(path): \(program) failed after \(count) lines with status 1 ("),
          "\(result.errorText)")
      }
      // Without --keep-going it is an error, and what a window had accepted is written.
      let stopped = try Tool.run([
        "--output-format", "csv", "--fields", "number", "--reorder-window", "1s", path,
      ])
      #expect(stopped.status == 1 && numbers(stopped) == Array(0..<count), "\(name)")
      #expect(stopped.errorText.contains("--keep-going writes what can be read"))
    }
  }

  @Test func bytesAfterAGzipFileAreAWarning() throws {
    let folder = try TemporaryFolder()
    let plain = try folder.write("plain", LogLines.text(0..<100))
    let packed = folder.url.path + "/packed"
    _ = try shell("(gzip -c '\(plain)'; echo garbage) >'\(packed)'")
    for options in Self.tolerant + [["--output-format", "csv"]] {
      let result = try Tool.run(options + ["--stats", "--fields", "number", packed])
      #expect(result.status == 0 && numbers(result) == Array(0..<100), "\(options) \(result.errorText)")
      #expect(result.errorText.contains("warning: \(packed): gzip warns ("), "\(result.errorText)")
      #expect(result.errorText.contains("\"input_warnings\":1"))
    }
  }

  @Test(arguments: ["gzip", "xz", "zstd"])
  func compressedInputsThatAreUnusualButSound(_ program: String) throws {
    let folder = try TemporaryFolder()
    let first = try folder.write("a", LogLines.text(0..<100))
    let second = try folder.write("b", LogLines.text(100..<200))
    let path = folder.url.path + "/members"
    _ = try shell("(\(program) -c '\(first)'; \(program) -c '\(second)') >'\(path)'")
    let members = try Tool.run(["--output-format", "csv", "--fields", "number", path])
    #expect(members.status == 0 && numbers(members) == Array(0..<200), "\(members.errorText)")
    _ = try shell("\(program) -c </dev/null >'\(path)'")
    let empty = try Tool.run(["--output-format", "csv", "--fields", "number", path, first])
    #expect(empty.status == 0 && numbers(empty) == Array(0..<100), "\(empty.errorText)")
    // The suffix says nothing; the bytes do.
    let misnamed = try folder.write("plain.gz", LogLines.text(0..<100))
    let named = try Tool.run(["--output-format", "csv", "--fields", "number", misnamed])
    #expect(named.status == 0 && numbers(named) == Array(0..<100), "\(named.errorText)")
  }

  @Test(arguments: [("gzip", "gzip"), ("xz", "xz-utils or xz"), ("zstd", "zstd"), ("bzip2", "bzip2")])
  func missingDecompressorNamesItsPackage(_ program: String, _ package: String) throws {
    let folder = try TemporaryFolder()
    let plain = try folder.write("plain", LogLines.text(0..<100))
    let packed = folder.url.path + "/packed"
    _ = try shell("\(program) -c '\(plain)' >'\(packed)'")
    let result = try Tool.run(
      ["--output-format", "ndjson", "--fields", "number", packed, plain],
      environment: ["PATH": folder.url.path])
    #expect(result.status == 1 && numbers(result) == Array(0..<100))
    #expect(
      result.errorText.contains(
        "\(packed): \(program), which decompresses it, is not installed; install the package \(package)"),
      "\(result.errorText)")
  }

  @Test func killedDecompressorIsNotReportedAsDamage() throws {
    let folder = try TemporaryFolder()
    let plain = try folder.write("plain", LogLines.text(0..<100))
    let packed = folder.url.path + "/packed"
    _ = try shell("gzip -c '\(plain)' >'\(packed)'")
    let fake = try folder.write("gzip", "#!/bin/sh\n/bin/cat '\(plain)'\nprintf 'time=cut'\nkill -KILL $$\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fake)
    let result = try Tool.run(
      ["--output-format", "ndjson", "--fields", "number", packed], environment: ["PATH": folder.url.path])
    #expect(result.status == 1 && numbers(result) == Array(0..<100))
    #expect(
      result.errorText.contains(
        "gzip failed after 100 lines: it was killed by signal 9; read the file again"),
      "\(result.errorText)")
  }

  /// What expands a thousandfold streams in constant memory: as one line, and as lines.
  @Test(arguments: [("a", 64), ("\\n", 4)])
  func decompressionBombStaysSmall(_ byte: String, _ size: Int) throws {
    let folder = try TemporaryFolder()
    let packed = folder.url.path + "/bomb"
    let script = """
      import gzip, resource, subprocess, sys
      with gzip.open(sys.argv[1], 'wb', 1) as out:
          for _ in range(\(size)): out.write(b'\(byte)' * (1 << 20))
      subprocess.run([sys.argv[2], '--check-only', '--keep-going', '--quiet', sys.argv[1]], stderr=subprocess.DEVNULL)
      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
      """
    let result = try Program.python(["-c", script, packed, Tool.path])
    let peak = try #require(Int(result.text.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(peak < 32 << 10)
  }

  @Test func journalFileOnStandardInputIsExplained() throws {
    let folder = try TemporaryFolder()
    let entries = [Journal.entry(0, Journal.text([("MESSAGE", "m"), ("SYSLOG_IDENTIFIER", "kata")]))]
    let path = try Journal.make(entries, in: folder)
    let piped = try shell("cat '\(path)' | '\(Tool.path)' -")
    #expect(piped.status == 1 && piped.errorText.contains("store it and read it with --journal-file FILE"))
  }
}
