import Foundation
import TestSupport

/// A peer that is a script of `Tests/Support`: it says where it listens, writes what it stores and what happens to two
/// files, and ends when its standard input does.
final class ScriptPeer: @unchecked Sendable {
  private let process = Process()
  private let input = Pipe()
  private let folder: TemporaryFolder
  let port: Int

  /// - Parameters:
  ///   - environment: the Python environment of `make test-dependencies` that has what the script imports.
  ///   - arguments: those before the two files, or behind the name of the script.
  init(_ script: String, environment: String, _ arguments: [String] = []) throws {
    folder = try TemporaryFolder()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: Repository.path(".build/\(environment)/bin/python"))
    process.arguments =
      [Repository.path("Tests/Support/\(script)")] + arguments + [folder.path("store"), folder.path("log")]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = ""
    while !line.hasSuffix("\n") {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      line += String(decoding: more, as: UTF8.self)
    }
    let words = line.split(whereSeparator: \.isWhitespace)
    guard words.first == "listening", let port = words.last.flatMap({ Int($0) }) else {
      throw TestFailure(description: "\(script) did not start: \(line)")
    }
    self.port = port
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// The whole lines of a file of it.
  private func lines(_ name: String) -> [String] {
    let data = FileManager.default.contents(atPath: folder.path(name)) ?? Data()
    guard let end = data.lastIndex(of: 0x0a) else { return [] }
    return data[..<end].split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
  }

  /// What it stored, a line each.
  var stored: [String] { lines("store") }
  /// What happened.
  var log: [String] { lines("log") }

  /// What it stored, where each line is an object.
  func objects() throws -> [[String: Any]] {
    try stored.compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
  }
}
