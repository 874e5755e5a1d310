import Foundation
import TestSupport
import Testing

/// The samples of `formats/`: what each input reads as, what each output looks like, and what its schema says.
@Suite(.ownThreads) struct FormatTests {
  private static let formats = Repository.root.appendingPathComponent("formats")

  static func samples(_ kind: String) -> [String] {
    let folder = formats.appendingPathComponent("input")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.flatMap { format -> [String] in
      let files =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/\(format)/\(kind)")) ?? []
      return files.filter { !$0.hasSuffix(".ndjson") && !$0.hasSuffix(".message") }
        .map { "\(format)/\(kind)/\($0)" }
    }.sorted()
  }

  @Test func thereAreSamplesOfAllFormats() throws {
    let folder = Self.formats.appendingPathComponent("input")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count >= 9)
    for kind in ["valid", "invalid"] {
      #expect(Set(Self.samples(kind).map { String($0.prefix { $0 != "/" }) }) == Set(names))
    }
  }

  /// Runs the tool on a copy of a sample that was last written on 2026-03-06, in a zone that is UTC.
  private func run(_ sample: URL, _ arguments: [String], as name: String? = nil) throws -> Tool.Result {
    let folder = try TemporaryFolder()
    let copy = folder.url.appendingPathComponent(name ?? sample.lastPathComponent)
    try FileManager.default.copyItem(at: sample, to: copy)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_772_755_200)], ofItemAtPath: copy.path)
    var result = try Tool.run(arguments + [copy.path], environment: ["TZ": "UTC"])
    let prefix = folder.url.path + "/"
    result.output = Data(result.text.replacingOccurrences(of: prefix, with: "").utf8)
    result.errorText = result.errorText.replacingOccurrences(of: prefix, with: "")
    return result
  }

  @Test(arguments: FormatTests.samples("valid"))
  func readsValidSample(_ sample: String) throws {
    let url = Self.formats.appendingPathComponent("input/" + sample)
    let result = try run(url, ["--output-format", "ndjson"])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.text == (try String(contentsOf: url.appendingPathExtension("ndjson"), encoding: .utf8)))
  }

  /// What makes an error of a line that would be kept as it is.
  private static func strictness(of sample: String) -> [String] {
    switch sample.prefix(while: { $0 != "/" }) {
    case "logfmt", "json", "journal", "klog", "dmesg", "slog-term", "loggers", "dated", "kubernetes-events",
      "kubectl-events":
      ["--strict"]
    case let format: ["--strict", "--input-format", String(format)]
    }
  }

  @Test(arguments: FormatTests.samples("invalid"))
  func refusesInvalidSample(_ sample: String) throws {
    let url = Self.formats.appendingPathComponent("input/" + sample)
    let result = try run(url, ["--output-format", "ndjson"] + Self.strictness(of: sample))
    #expect(result.status == 1)
    #expect(
      result.errorText == (try String(contentsOf: url.appendingPathExtension("message"), encoding: .utf8)))
  }

  @Test(arguments: ["json", "ndjson", "xml", "yaml", "toml", "csv", "text", "logfmt", "pretty", "fluentd"])
  func writesSample(_ format: String) throws {
    let sample = Self.formats.appendingPathComponent("output/sample.log")
    let golden = Self.formats.appendingPathComponent("output/\(format)/sample.\(format)")
    let lines = try run(sample, ["--output-format", format]).text.components(separatedBy: "\n").map { line in
      line.hasPrefix("# Version:")
        ? "# Version:        VERSION" : line.hasPrefix("# Commit:") ? "# Commit:         COMMIT" : line
    }
    #expect(lines == (try String(contentsOf: golden, encoding: .utf8)).components(separatedBy: "\n"))
  }

  @Test func writesStatistics() throws {
    let result = try run(
      Self.formats.appendingPathComponent("output/sample.log"), ["--check-only", "--stats"])
    let golden = Self.formats.appendingPathComponent("output/stats/sample.json")
    #expect(result.errorText == (try String(contentsOf: golden, encoding: .utf8)))
    #expect(result.output.isEmpty)
  }

  @Test(arguments: ["json", "ndjson"])
  func jsonKeepsToItsSchema(_ format: String) throws {
    let folder = Self.formats.appendingPathComponent("output/\(format)").path
    let script = """
      import json, jsonschema, sys
      schema = json.load(open(sys.argv[1] + "/schema.json"))
      jsonschema.Draft202012Validator.check_schema(schema)
      text = open(sys.argv[2]).read()
      for document in ([json.loads(text)] if sys.argv[3] == "json" else map(json.loads, text.splitlines())):
          jsonschema.validate(document, schema)
      """
    let python = Repository.path(".build/venv/bin/python")
    let good = try Tool.run(python, ["-c", script, folder, "\(folder)/sample.\(format)", format])
    #expect(good.status == 0, "\(good.errorText)")
    #expect(try Tool.run(python, ["-c", script, folder, "\(folder)/invalid.json", "json"]).status != 0)
  }

  @Test func xmlKeepsToItsSchema() throws {
    let folder = Self.formats.appendingPathComponent("output/xml").path
    let arguments = ["--noout", "--schema", "\(folder)/schema.xsd"]
    let good = try Tool.run("/usr/bin/xmllint", arguments + ["\(folder)/sample.xml"])
    #expect(good.status == 0, "\(good.errorText)")
    #expect(try Tool.run("/usr/bin/xmllint", arguments + ["\(folder)/invalid.xml"]).status != 0)
  }

  /// Hostile records in every format, read back by other people's readers.
  @Test func outputsAreReadBack() throws {
    // The same records in every run, unless it is to be a longer one.
    let seconds = ProcessInfo.processInfo.environment["KATA_FUZZ_SECONDS"]
    let result = try Tool.run(
      Repository.path(".build/venv/bin/python"),
      [Repository.path("Tests/Validators/fuzz-outputs.py"), Tool.path, seconds ?? "8"]
        + (seconds == nil ? ["1"] : []))
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
  }
}
