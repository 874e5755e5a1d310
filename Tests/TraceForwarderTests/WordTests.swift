import Foundation
import Testing

/// Words that leave the process, and that dashboards and scripts match on, stand in the source as they are: who finds one
/// in the output finds it in the code.
struct WordTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let source: String = {
    let folder = root.appendingPathComponent("Sources")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var text = ""
    while let file = files?.nextObject() as? URL {
      if file.pathExtension == "swift" { text += (try? String(contentsOf: file, encoding: .utf8)) ?? "" }
    }
    return text
  }()

  /// The words in the first cells of the tables of `formats/metrics`.
  private static let words: [String] = {
    let file = root.appendingPathComponent("formats/metrics/README.md")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { line in
      (line.split(separator: "|").first ?? "").split(separator: "`").map(String.init)
        .filter {
          !$0.isEmpty && $0.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (0x61...0x7a).contains($0) }
        }
    }
  }()

  @Test func documentHasMetricsAndReasons() {
    #expect(Self.words.count > 50)
    #expect(Self.words.contains("kata_forwarder_spool_bytes"))
    #expect(Self.words.contains("too_many_connections_of_one_guest"))
    #expect(Self.words.contains("set_aside_full"))
  }

  /// A word alone, or a metric's name before its help. The reasons for which the HTTP server replaces a connection are
  /// composed of the connection's use.
  @Test(arguments: words.filter { !$0.hasPrefix("replaced_") })
  func documentedWordStandsInTheSource(_ word: String) {
    #expect(Self.source.contains("\"\(word)\"") || Self.source.contains("\"\(word) "))
  }

  /// Values that the documents name in sentences.
  @Test(arguments: [
    "vsock", "hybrid", "jaeger", "otlp", "http", "jaeger-json", "jaeger-json-file", "otlp-json-file",
    "jaeger-agent", "jaeger-thrift", "dump", "internal", "server", "client", "producer", "consumer",
  ])
  func labelValueStandsInTheSource(_ word: String) {
    #expect(Self.source.contains("\"\(word)\""))
  }
}
