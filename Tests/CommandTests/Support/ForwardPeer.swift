import Foundation
import TestSupport

/// The receiver of the Forward protocol in `Tests/Support/forward-receiver`.
final class ForwardPeer: @unchecked Sendable {
  private let process = Process()
  private let input = Pipe()
  let folder: TemporaryFolder
  /// What `--endpoint` takes.
  let endpoint: String
  let port: Int

  /// - Parameters:
  ///   - folder: that of a receiver before this one, whose files are written on.
  ///   - port: the port to listen on; any when it is 0.
  init(_ arguments: [String] = [], folder: TemporaryFolder? = nil, port: Int = 0, isUnix: Bool = false) throws
  {
    let folder = try folder ?? TemporaryFolder()
    self.folder = folder
    let socket = folder.url.appendingPathComponent("socket").path
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: Repository.path(".build/venv/bin/python"))
    process.arguments =
      [
        Repository.path("Tests/Support/forward-receiver"), "--store",
        folder.url.appendingPathComponent("store").path, "--log",
        folder.url.appendingPathComponent("log").path,
      ] + (isUnix ? ["--unix", socket] : ["--tcp", "127.0.0.1:\(port)"]) + arguments
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = ""
    while !line.hasSuffix("\n") {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      line += String(decoding: more, as: UTF8.self)
    }
    let words = line.split(separator: " ").map { $0.trimmingCharacters(in: .newlines) }
    guard words.count == 2, words[0] == "listening" else {
      throw TestFailure(description: "forward-receiver did not start: \(line)")
    }
    self.port = isUnix ? 0 : Int(words[1]) ?? 0
    endpoint = isUnix ? "unix://\(socket)" : "tcp://127.0.0.1:\(words[1])"
  }

  deinit { kill() }

  /// Ends it at once, as a crash would.
  func kill() {
    guard process.isRunning else { return }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  private func lines(_ name: String) -> [String] {
    let data = FileManager.default.contents(atPath: folder.url.appendingPathComponent(name).path) ?? Data()
    // A line that is just being written is not whole.
    guard let end = data.lastIndex(of: 0x0a) else { return [] }
    return data[..<end].split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The bytes that are stored.
  var storedSize: Int {
    let path = folder.url.appendingPathComponent("store").path
    return (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  }

  /// What was stored, in order.
  func stored() throws -> [[String: Any]] {
    try lines("store").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  /// The records that were stored.
  func records() throws -> [[String: Any]] { try stored().compactMap { $0["record"] as? [String: Any] } }

  /// The place of each record that was stored.
  func cursors() throws -> [String] { try records().compactMap { $0["kata_cursor"] as? String } }

  private var lastLook = (size: -1, hasAll: false)

  /// Whether records of so many places are stored. It is asked again and again, so that it looks only at what is new.
  func hasAll(_ count: Int) throws -> Bool {
    let size = storedSize
    if size == lastLook.size { return lastLook.hasAll }
    let hasAll = try lines("store").count >= count && Set(cursors()).count == count
    lastLook = (size, hasAll)
    return hasAll
  }

  /// What happened.
  var log: [String] { lines("log") }
}
