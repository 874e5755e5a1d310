import Foundation
import TestSupport
import Testing

/// What the components of Kata wrote in recorded runs, byte for byte (`Tests/RealRuns`): read without a flag but the format.
@Suite(.ownThreads) struct RealRunTests {
  private func read(_ name: String) throws -> (records: [[String: Any]], stats: [String: Int], errors: String)
  {
    let path = Repository.path("Tests/RealRuns/" + name)
    let result = try Tool.run(["--output-format", "ndjson", "--stats", path], environment: ["TZ": "UTC"])
    #expect(result.status == 0)
    let records = try result.text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    let last = try #require(result.errorText.split(separator: "\n").last)
    let stats = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Int])
    return (records, stats, result.errorText)
  }

  /// The strict rules refuse the third line.
  @Test func everyLineOfTheShimIsARecord() throws {
    let (records, stats, errors) = try read("go-shim-run.log")
    #expect(records.count == 65 && stats["lines"] == 65 && stats["records"] == 65)
    #expect(records.allSatisfy { ($0["msg"] as? String)?.isEmpty == false })
    #expect(
      records.allSatisfy { $0["kata-log-parser-raw"] == nil && $0["kata-log-parser-time-inherited"] == nil })
    let sized = try #require(records.first { $0["msg"] as? String == "static resources set" })
    for key in ["default cpu", "default mem", "workload cpu", "workload mem in MB"] {
      #expect(sized[key] as? String == "0", "\(key)")
    }
    #expect(sized["default"] == nil && !errors.contains("error"))
  }

  @Test(arguments: ["go-shim-run.devlog", "full-run.devlog", "console.log"])
  func everyLineIsAccountedFor(_ name: String) throws {
    let (records, stats, errors) = try read(name)
    let lines = try Data(contentsOf: Repository.url("Tests/RealRuns/" + name)).filter { $0 == 0x0a }.count
    #expect(lines > 60 && stats["lines"] == lines && stats["records"] == records.count)
    #expect(stats["bad"] == 0)
    #expect(!errors.contains("error"))
  }

  /// The rules of the existing tool refuse the same file, and say how to read on.
  @Test func theErrorNamesTheOption() throws {
    let path = Repository.path("Tests/RealRuns/go-shim-run.log")
    let refused = try Tool.run(["--output-format", "json", path])
    #expect(
      refused.status == 1 && refused.errorText.hasSuffix("; --lenient reads on\n"), "\(refused.errorText)")
    let read = try Tool.run(["--output-format", "json", "--lenient", path])
    #expect(read.status == 0 && read.errorText.isEmpty)
  }
}
