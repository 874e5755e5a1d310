import Foundation
import TestSupport
import Testing

/// The table of `formats/verdicts`: what becomes of its sample in each way of reading it.
@Suite(.ownThreads) struct VerdictTests {
  struct Cell: Sendable, CustomStringConvertible {
    var written: String
    var arguments: [String]
    var status: Int32
    var reported: [Int]
    var output: [Int]

    var description: String { ([written] + arguments).joined(separator: " ") }
  }

  private static let folder = Repository.url("formats/verdicts")

  /// A cell of a row, as a word in backquotes or as it stands.
  private static func words(_ text: Substring) -> String {
    text.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
  }

  /// Numbers and ranges of them.
  private static func numbers(_ text: String) -> [Int] {
    text.split(separator: " ").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      return ends.count == 2 ? Array(ends[0]...ends[1]) : ends
    }
  }

  static let cells: [Cell] = {
    let text = (try? String(contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line -> Cell? in
      let row = line.split(separator: "|").map(words)
      guard row.count == 6, ["classic", "journal", "other"].contains(row[0]), let status = Int32(row[3])
      else {
        return nil
      }
      let arguments = [row[1], row[2]].filter { $0.hasPrefix("--") }
      return Cell(
        written: row[0], arguments: arguments, status: status, reported: numbers(row[4]),
        output: numbers(row[5]))
    }
  }()

  @Test func theTableIsWhole() {
    #expect(Self.cells.count == 36)
    #expect(Set(Self.cells.map(\.description)).count == 36)
  }

  /// The sample, or a journal of its lines as messages.
  private func input(_ cell: Cell, _ folder: TemporaryFolder) throws -> [String] {
    let sample = Self.folder.appendingPathComponent("sample.log")
    guard cell.written == "journal" else { return [sample.path] }
    let lines = try String(contentsOf: sample, encoding: .utf8).split(separator: "\n")
    let entries = lines.enumerated().map { number, line in
      Journal.entry(number, Journal.text([("SYSLOG_IDENTIFIER", "kata"), ("MESSAGE", String(line))]))
    }
    return ["--journal-file", try Journal.make(entries, in: folder)]
  }

  @Test(arguments: VerdictTests.cells)
  func theCellHolds(_ cell: Cell) throws {
    let folder = try TemporaryFolder()
    let input = try input(cell, folder)
    let formats =
      cell.written == "other"
      ? ["ndjson", "logfmt", "pretty"] : ["json", "csv", "text", "toml", "xml", "yaml"]
    for format in formats {
      let result = try Tool.run(
        ["--output-format", format] + cell.arguments + input, environment: ["TZ": "UTC"])
      #expect(result.status == cell.status, "\(format): \(result.errorText)")
      #expect(reports(result.errorText) == cell.reported, "\(format): \(result.errorText)")
      if format == formats[0] {
        #expect(try lines(result.output, isDocument: format == "json") == cell.output)
        #expect(!cell.arguments.contains("--check-only") || result.output.isEmpty)
      }
      let readsOn = !cell.reported.isEmpty && !cell.arguments.contains("--keep-going")
      let option = cell.arguments.contains("--strict") ? "--keep-going" : "--lenient"
      #expect(
        result.errorText.contains("; \(option) reads on\n") == readsOn, "\(format): \(result.errorText)")
    }
  }

  /// The numbers of the lines or entries that errors name.
  private func reports(_ errors: String) -> [Int] {
    errors.split(separator: "\n").filter { $0.contains(" error: ") }.compactMap { line in
      line.firstMatch(of: /error: [^ ]*?:(\d+)/).flatMap { Int($0.1) }
    }
  }

  private func lines(_ output: Data, isDocument: Bool) throws -> [Int] {
    if !isDocument {
      return try output.split(separator: 0x0a).map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
        return try #require(object?["line"] as? Int)
      }.sorted()
    }
    if output.isEmpty { return [] }
    let document = try JSONSerialization.jsonObject(with: output) as? [String: Any]
    let entries = try #require(document?["Entries"] as? [[String: Any]])
    return try entries.map { try #require($0["Line"] as? Int) }.sorted()
  }
}
