import Foundation
import TestSupport
import Testing

/// The drop-in's cases, through the real binary: the exit status and every byte of the output.
@Suite(.ownThreads) struct ConformanceTests {
  struct Case: Decodable {
    var name: String
    var args: [String]
    var files: [String: Content]
    var exit: Int
    var stdout: Content?
  }

  /// Text, or bytes that are not UTF-8 in base64.
  struct Content: Decodable {
    var data: Data

    init(from decoder: Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        data = Data(text.utf8)
      } else {
        data = Data(base64Encoded: try container.decode([String: String].self)["base64"] ?? "") ?? Data()
      }
    }
  }

  private static let cases: [Case] = {
    let path = Repository.path("Tests/Conformance/log-parser.jsonl")
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return [] }
    return data.split(separator: 0x0a).compactMap { try? JSONDecoder().decode(Case.self, from: Data($0)) }
  }()

  @Test func thereAreAllCases() { #expect(Self.cases.count == 528) }

  @Test(arguments: ["json", "csv", "toml", "yaml", "xml", "text", ""])
  func passes(_ format: String) throws {
    let folder = try TemporaryFolder()
    for item in Self.cases where Self.format(of: item) == format {
      let place = try folder.make(item.name)
      for (name, content) in item.files where name != "stdin" {
        try content.data.write(to: place.appendingPathComponent(name))
      }
      let result = try Tool.run(
        item.args.map { $0.replacingOccurrences(of: "@DIR@", with: place.path) },
        input: item.files["stdin"]?.data ?? Data())
      #expect(
        (result.status == 0) == (item.exit == 0), "\(item.name): exit \(result.status): \(result.errorText)"
      )
      if item.exit == 0 {
        let output = Self.normalised(result.output, folder: place.path, format: format)
        let expected = Self.normalised(item.stdout?.data ?? Data(), folder: place.path, format: format)
        #expect(output == expected, "\(item.name)")
      } else {
        #expect(!result.errorText.isEmpty, "\(item.name): nothing on standard error")
      }
    }
  }

  private static func format(of item: Case) -> String {
    guard let dot = item.name.lastIndex(of: ".") else { return "" }
    return String(item.name[item.name.index(after: dot)...])
  }

  /// The folder's name, the header's version and commit, and the order of XML's data elements may differ.
  private static func normalised(_ data: Data, folder: String, format: String) -> [String] {
    let text = String(decoding: data, as: UTF8.self).replacingOccurrences(of: folder, with: "@DIR@")
    var lines = text.components(separatedBy: "\n").map { line in
      for name in ["# Version:", "# Commit:"] where line.hasPrefix(name) { return name }
      return line
    }
    if format == "xml" { sortData(&lines) }
    return lines
  }

  private static func sortData(_ lines: inout [String]) {
    var start: Int?
    for index in lines.indices {
      if lines[index] == "        <Data>" { start = index + 1 }
      if lines[index] == "        </Data>", let from = start {
        lines[from..<index].sort()
        start = nil
      }
    }
  }
}
