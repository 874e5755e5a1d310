import Foundation
import TestSupport
import Testing

/// A run of the forwarder in a fresh folder: started, waited for, talked to and stopped by signals.
///
/// Unless a test says otherwise it listens for agents at `agents.sock_10240` in its folder, and on ports that the system
/// chooses; what it says goes to the file `log`.
final class ForwarderProcess: @unchecked Sendable {
  private static let built = BuiltTool("kata-trace-forwarder", variable: "KATA_TRACE_FORWARDER")

  /// The release binary that `make build` made, or the one that `KATA_TRACE_FORWARDER` names.
  static var path: String { get throws { try built.path } }

  static let isRoot = geteuid() == 0

  let folder: TemporaryFolder
  private let process = Process()
  private let logFile: URL
  private let outputFile: URL
  /// Where its HTTP servers are, by the names in its ready line.
  private(set) var addresses: [String: String] = [:]

  /// - Parameters:
  ///   - agents: whether to listen at `agents.sock_10240`.
  ///   - user: whom root's forwarder becomes; it stays root unless a test is about that, for the folder is root's.
  ///   - prefix: a program and its arguments that runs the forwarder.
  init(
    _ arguments: [String] = [], in folder: TemporaryFolder? = nil, agents: Bool = true,
    user: String? = "root",
    environment: [String: String] = [:], prefix: [String] = [], output: FileHandle? = nil
  ) throws {
    self.folder = try folder ?? TemporaryFolder()
    logFile = self.folder.url.appendingPathComponent("log-\(UUID().uuidString)")
    outputFile = self.folder.url.appendingPathComponent("out-\(UUID().uuidString)")
    for file in [logFile, outputFile] { try Data().write(to: file) }
    func isGiven(_ name: String) -> Bool {
      arguments.contains { $0 == name || $0.hasPrefix(name + "=") }
    }
    var all = arguments
    for (name, value) in [
      ("--jaeger-receiver", "off"), ("--otlp-receiver", "off"), ("--metrics", "127.0.0.1:0"),
      // A busy machine takes long; a test that is about the time says so.
      ("--stop-timeout", "120s"),
      ("--spool-dir", self.folder.url.appendingPathComponent("spool").path),
    ] where !isGiven(name) && !(name == "--spool-dir" && isGiven("--dump-only")) { all += [name, value] }
    if !arguments.contains(where: { $0.hasPrefix("--vsock") }) { all.append("--vsock=false") }
    if agents { all += ["--socket-path", self.folder.url.appendingPathComponent("agents.sock").path] }
    if let user, !isGiven("--user") { all += ["--user", user] }
    let command = try prefix + [Self.path] + all
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try output ?? FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: logFile)
    try process.run()
  }

  deinit {
    if process.isRunning {
      // With a prefix the forwarder is a child; one that is left alone would hold what the wait below waits for.
      for number in descendants + [identifier] { kill(number, SIGKILL) }
      process.waitUntilExit()
    }
  }

  /// Starts one and waits until it is ready.
  static func ready(
    _ arguments: [String] = [], in folder: TemporaryFolder? = nil, agents: Bool = true,
    user: String? = "root",
    environment: [String: String] = [:], prefix: [String] = [], output: FileHandle? = nil
  ) throws -> ForwarderProcess {
    let forwarder = try ForwarderProcess(
      arguments, in: folder, agents: agents, user: user, environment: environment, prefix: prefix,
      output: output)
    try forwarder.waitUntilReady()
    return forwarder
  }

  func waitUntilReady() throws {
    try wait("it is ready") { log.contains("\"the forwarder is ready\"") || !process.isRunning }
    guard let line = log.split(separator: "\n").first(where: { $0.contains("the forwarder is ready") }) else {
      throw TestFailure(description: "it ended with \(exitStatus): \(log)")
    }
    for pair in line.split(separator: " ") {
      let sides = pair.split(separator: "=", maxSplits: 1)
      if sides.count == 2 { addresses[String(sides[0])] = String(sides[1]) }
    }
  }

  var identifier: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }
  var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }
  var logPath: String { logFile.path }
  var output: Data { (try? Data(contentsOf: outputFile)) ?? Data() }
  var agentSocket: String { folder.url.appendingPathComponent("agents.sock_10240").path }
  func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  /// Waits for a condition, at most two minutes.
  func wait(_ what: String, seconds: Double = 120, _ condition: () throws -> Bool) throws {
    try Deadline.wait("\(what); its log ends with: \(log.suffix(2000))", seconds: seconds, condition)
  }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Stops it until SIGCONT; returns when each of its threads has stopped, which the signal alone does not wait for.
  func suspend() throws {
    signal(SIGSTOP)
    let tasks = "/proc/\(identifier)/task"
    try wait("it is stopped") {
      try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy { task in
        let text = try String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8)
        return text.split(separator: ")").last?.hasPrefix(" T") == true
      }
    }
  }

  /// Ends the run by a signal and returns its exit status, or the signal's number as a negative one.
  @discardableResult
  func stop(_ number: Int32 = SIGTERM) -> Int32 {
    signal(number)
    return exitStatus
  }

  /// Waits for the end; a run that does not end is killed after a while, which its status says.
  var exitStatus: Int32 {
    if !Deadline.holds(seconds: 90, { !process.isRunning }) { kill(process.processIdentifier, SIGKILL) }
    return process.waitForStatus()
  }

  // MARK: What it says of itself

  func get(_ path: String, at name: String = "metrics") throws -> HTTPAnswer {
    try HTTPAnswer.get(addresses[name] ?? "", path)
  }

  /// The values of `/metrics`, by name and labels as they stand there.
  func metrics() throws -> [String: Double] {
    var result: [String: Double] = [:]
    for line in try get("/metrics").text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " ") else { continue }
      result[String(line[..<space])] = Double(line[line.index(after: space)...])
    }
    return result
  }

  func metric(_ name: String) throws -> Int { Int(try metrics()["kata_forwarder_\(name)"] ?? 0) }

  /// Waits until the spool has had this many spans.
  func waitForSpans(_ count: Int) throws {
    try wait("\(count) spans are in the spool") { try metric("spool_appended_spans_total") >= count }
  }

  /// A line of `/proc/PID/status`, such as `VmHWM`, as a number of its unit.
  func status(_ name: String, of process: Int32? = nil) -> Int {
    let text = (try? String(contentsOfFile: "/proc/\(process ?? identifier)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
    return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? -1
  }

  /// Hundredths of a second of processor time that it has used.
  var processorTime: Int {
    let text = (try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)) ?? ""
    let fields = (text.split(separator: ")").last ?? "").split(separator: " ")
    return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
  }

  /// Its child processes.
  var children: [Int32] { Self.children(of: identifier) }

  /// Its child processes, theirs, and so on.
  private var descendants: [Int32] {
    var found = children
    var index = 0
    while index < found.count {
      found += Self.children(of: found[index])
      index += 1
    }
    return found
  }

  private static func children(of process: Int32) -> [Int32] {
    let text = try? String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
    return (text ?? "").split(separator: " ").compactMap { Int32($0) }
  }
}
