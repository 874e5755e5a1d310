import Foundation
import Testing

/// Each format says where it is implemented and tested, and these places exist.
struct FormatIndexTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: [
    "agent-frames", "collector-answers", "jaeger-json", "jaeger-thrift", "log", "metrics", "otlp",
    "query-api",
    "spool",
  ])
  func formatNamesItsImplementationAndItsTests(_ name: String) throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent("formats/\(name)/README.md"), encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Implemented in ") })
    let paths = line.split(separator: "`").filter { $0.contains("/") && !$0.contains(" ") }.map(String.init)
    #expect(paths.contains { $0.hasPrefix("Sources/") } && paths.contains { $0.hasPrefix("Tests/") })
    for path in paths {
      #expect(FileManager.default.fileExists(atPath: Self.root.appendingPathComponent(path).path), "\(path)")
    }
  }
}
