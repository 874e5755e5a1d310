import Foundation
import TestSupport

/// A forwarder that has the spans of `formats/query-api` and answers queries about them.
final class QueryServer {
  private let forwarder: ForwarderProcess

  init(_ arguments: [String] = [], spans: Data? = nil) throws {
    forwarder = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0"] + arguments, agents: false)
    let body =
      try spans ?? Data(contentsOf: URL(fileURLWithPath: Repository.path("formats/query-api/spans.json")))
    try receive([body])
  }

  var address: String { forwarder.addresses["query"] ?? "" }

  /// Sends spans and waits until all that came so far is found.
  func receive(_ bodies: [Data]) throws {
    for body in bodies {
      let answer = try HTTPAnswer.post(
        forwarder.addresses["otlp"] ?? "", "/v1/traces", type: "application/json", body)
      guard answer.status == 200 else { throw TestFailure(description: answer.text) }
    }
    let count = try forwarder.metric("spool_appended_spans_total")
    try forwarder.wait("\(count) spans are indexed") { try indexed() >= count }
  }

  private func indexed() throws -> Int {
    let answer = try get(
      "/api/v3/trace-summaries?query.searchDepth=1500&query.startTimeMin=1970-01-01T00:00:00Z&query.startTimeMax=2200-01-01T00:00:00Z"
    )
    let summaries = (try object(answer.body)["summaries"] as? [[String: Any]]) ?? []
    return summaries.reduce(0) { $0 + ($1["spanCount"] as? Int ?? 0) }
  }

  func get(_ path: String) throws -> HTTPAnswer { try HTTPAnswer.get(address, path) }

  func post(_ path: String, _ body: Data) throws -> HTTPAnswer {
    try HTTPAnswer.post(address, path, type: "application/json", body)
  }

  func object(_ body: Data) throws -> [String: Any] {
    (try JSONSerialization.jsonObject(with: body) as? [String: Any]) ?? [:]
  }

  /// Its peak memory, in kB.
  var peakMemory: Int { forwarder.status("VmHWM") }
}

/// Chromium without a screen.
enum Browser {
  static let path = "/usr/bin/chromium"

  /// The document as it is when the page has done its work.
  static func document(_ url: String) throws -> String {
    let result = try run(["--dump-dom", url])
    guard !result.text.isEmpty else { throw TestFailure(description: result.errorText) }
    return result.text
  }

  /// What is to be seen, as `Tests/Validators/png-bars` tells it.
  static func picture(
    _ url: String, width: Int, height: Int, left: Int, top: Int, dark: Bool = false
  ) throws -> Picture {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("page.png").path
    let result = try run(
      [
        "--screenshot=\(file)", "--window-size=\(width),\(height)", "--hide-scrollbars",
        "--blink-settings=preferredColorScheme=\(dark ? 0 : 1)", url,
      ])
    guard FileManager.default.fileExists(atPath: file) else {
      throw TestFailure(description: result.errorText)
    }
    let answer = try Tool.run(
      "/usr/bin/python3", [Repository.path("Tests/Validators/png-bars"), file, String(left), String(top)])
    return try JSONDecoder().decode(Picture.self, from: answer.output)
  }

  struct Picture: Decodable {
    var width: Int
    var height: Int
    var colours: Int
    /// Left, right, top and bottom of each, from the top down.
    var bars: [[Int]]
  }

  private static func run(_ arguments: [String]) throws -> Tool.Result {
    let folder = try TemporaryFolder()
    return try Tool.run(
      "/usr/bin/timeout",
      [
        "120", path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking", "--user-data-dir=\(folder.url.path)",
        "--virtual-time-budget=10000",
      ] + arguments)
  }
}
