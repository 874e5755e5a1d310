import Foundation

/// Where the repository is: tests read its files and run its release binary.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func path(_ relative: String) -> String { root.appendingPathComponent(relative).path }
}

/// Running the real binary.
enum Tool {
  struct Result: Sendable {
    var status: Int32
    var output: Data
    var errorText: String
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// The release binary that `make build` made, or the one that `KATA_LOG_PARSER` names.
  static var path: String {
    ProcessInfo.processInfo.environment["KATA_LOG_PARSER"]
      ?? Repository.path(".build/release/kata-log-parser")
  }

  static func run(
    _ arguments: [String], input: Data = Data(), environment: [String: String] = [:], in folder: URL? = nil
  ) throws -> Result {
    try run(path, arguments, input: input, environment: environment, in: folder)
  }

  /// Runs a program to its end. Input and output go through files, so that no pipe can fill up and block.
  static func run(
    _ program: String, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:],
    in folder: URL? = nil
  ) throws -> Result {
    let scratch = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = folder }
    let inputFile = scratch.url.appendingPathComponent("in")
    let outputFile = scratch.url.appendingPathComponent("out")
    let errorFile = scratch.url.appendingPathComponent("err")
    try input.write(to: inputFile)
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return Result(
      status: status, output: try Data(contentsOf: outputFile),
      errorText: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }
}

/// A folder of a test's own that goes when the test ends.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("kata-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
    url = path.resolvingSymlinksInPath()
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func make(_ name: String) throws -> URL {
    let path = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
    return path
  }

  func write(_ name: String, _ text: String) throws -> String {
    let path = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: path)
    return path.path
  }
}
