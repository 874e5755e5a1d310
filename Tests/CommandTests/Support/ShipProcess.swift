import Foundation
import TestSupport

/// A run of `kata-log-parser ship` in a folder: its configuration, its log, its status.
final class ShipProcess: @unchecked Sendable {
  let folder: TemporaryFolder
  private let process = Process()
  private let logFile: URL
  private(set) var statusAddress = ""

  /// Starts it and waits until it is ready.
  ///
  /// - Parameter settings: the configuration but for the state directory and the status address.
  init(_ settings: String, in folder: TemporaryFolder, environment: [String: String] = [:]) throws {
    self.folder = folder
    let port = try Rotel.freePort()
    statusAddress = "127.0.0.1:\(port)"
    logFile = folder.url.appendingPathComponent("ship-log-\(UUID().uuidString)")
    try Data().write(to: logFile)
    try write(settings)
    process.executableURL = URL(fileURLWithPath: try Tool.path)
    process.arguments = ["ship", configuration]
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: logFile)
    try process.run()
    try wait("it is ready") { log.contains("the shipper is ready") || !process.isRunning }
    guard process.isRunning else { throw TestFailure(description: "it ended: \(log)") }
  }

  deinit {
    if process.isRunning {
      kill(identifier, SIGKILL)
      process.waitUntilExit()
    }
  }

  var configuration: String { folder.path("ship.conf") }

  /// Replaces the configuration.
  func write(_ settings: String) throws {
    try folder.write(
      "ship.conf",
      settings + "\n[service]\nstate-directory = \(folder.path("state"))\nstatus-address = \(statusAddress)\n"
    )
  }

  var identifier: Int32 { process.processIdentifier }
  var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

  func wait(_ what: String, _ condition: () throws -> Bool) throws {
    try Deadline.wait("\(what); its log ends with: \(log.suffix(2000))", seconds: 120, condition)
  }

  func signal(_ number: Int32) { kill(identifier, number) }

  /// Ends it by a signal; its exit status.
  @discardableResult
  func stop(_ number: Int32 = SIGTERM) -> Int32 {
    signal(number)
    return process.waitForStatus()
  }

  func get(_ path: String) throws -> HTTPAnswer { try HTTPAnswer.get(statusAddress, path) }

  /// A metric without labels.
  func metric(_ name: String) throws -> Int {
    for line in try get("/metrics").text.split(separator: "\n") where line.hasPrefix("kata_ship_\(name) ") {
      return Int(line.split(separator: " ")[1]) ?? 0
    }
    throw TestFailure(description: "there is no metric kata_ship_\(name)")
  }

  /// Memory of its own in bytes.
  var memory: Int {
    let status = (try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") } ?? ""
    return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }
}
