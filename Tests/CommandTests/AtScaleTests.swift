import Foundation
import TestSupport
import Testing

/// The table of what many nodes need: `Tests/Benchmarks/README.md` says what its script works out.
@Suite(.ownThreads) struct AtScaleTests {
  @Test func theTableIsWhatTheScriptWorksOut() throws {
    let folder = try TemporaryFolder()
    let script = Repository.path("Tests/Benchmarks/at-scale.py")
    let readme = try String(contentsOfFile: Repository.path("Tests/Benchmarks/README.md"), encoding: .utf8)
    let result = try Program.python([script, try Tool.path, try ForwarderProcess.path], in: folder.url)
    #expect(result.status == 0, "\(result.errorText)")
    // Sizes of records hold the paths of the inputs, which differ from checkout to checkout.
    func counts(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter {
        ["| records ", "| spans ", "| processors", "1. **journald", "2. **The page", "4. **"].contains(
          where: $0.hasPrefix)
      }
    }
    #expect(counts(result.text).count == 8)
    let table = try #require(
      readme.components(separatedBy: "<!-- scale: begin -->").last?.components(
        separatedBy: "<!-- scale: end -->"
      ).first)
    #expect(counts(result.text) == counts(table), "run `make at-scale`")
  }

  @Test func twiceTheStartsAreTwiceTheRecords() throws {
    let script = Repository.path("Tests/Benchmarks/at-scale.py")
    let result = try Program.python([script, try Tool.path, try ForwarderProcess.path, "--starts", "2000"])
    #expect(
      result.text.contains("| records a day | 998,000 | 99,800,000 | 9,980,000,000 |"), "\(result.text)")
  }
}
