import Foundation
import Testing

/// The forwarder as two processes: the one that makes the sandboxes' sockets, and the one that receives.
@Suite(.timeLimit(.minutes(5))) struct ForwarderHelperTests {
  /// A run of the forwarder with a template and nothing else.
  private final class Run {
    let process = Process()
    let folder: TemporaryFolder

    init(_ folder: TemporaryFolder) throws {
      self.folder = folder
      process.executableURL = URL(fileURLWithPath: Repository.path(".build/release/kata-trace-forwarder"))
      process.arguments = [
        "--socket-path-template", "\(folder.url.path)/vm/{ID}/clh.sock", "--spool-dir",
        "\(folder.url.path)/spool",
        "--jaeger-receiver", "off", "--otlp-receiver", "off", "--metrics", "off", "--query", "127.0.0.1:0",
      ]
      process.standardInput = FileHandle.nullDevice
      _ = try folder.write("log", "")
      let log = try FileHandle(forWritingTo: folder.url.appendingPathComponent("log"))
      process.standardError = log
      try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var log: String {
      (try? String(contentsOf: folder.url.appendingPathComponent("log"), encoding: .utf8)) ?? ""
    }

    /// The process that makes the sockets.
    func helper() throws -> Int32 {
      let number = process.processIdentifier
      let children = try String(contentsOfFile: "/proc/\(number)/task/\(number)/children", encoding: .utf8)
      return try #require(children.split(separator: " ").first.flatMap { Int32($0) })
    }

    func end(_ signal: Int32) -> Int32 {
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }
  }

  private struct Late: Error { var what: String }

  private func wait(for what: String, _ run: Run, _ condition: () throws -> Bool) throws {
    for _ in 0..<3000 {
      if try condition() { return }
      usleep(10_000)
    }
    throw Late(what: "\(what); the log: \(run.log)")
  }

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    chmod(folder.url.path, 0o755)
    _ = try folder.make("vm/one")
    return folder
  }

  /// Whether somebody listens at a path.
  private func isServed(_ path: String) -> Bool {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  @Test func theHelperEndsWithAForwarderThatIsKilledAndTheNextTakesOver() throws {
    let folder = try folder()
    let socket = "\(folder.url.path)/vm/one/clh.sock_10240"
    let first = try Run(folder)
    try wait(for: "the socket", first) { isServed(socket) }
    let helper = try first.helper()
    if geteuid() == 0 {
      let status = try String(
        contentsOfFile: "/proc/\(first.process.processIdentifier)/status", encoding: .utf8)
      #expect(status.contains("Uid:\t65534\t65534\t65534\t65534"))
    }
    #expect(first.end(SIGKILL) == -SIGKILL)
    try wait(for: "the helper's end", first) { kill(helper, 0) != 0 }
    #expect(!FileManager.default.fileExists(atPath: socket))

    let second = try Run(folder)
    try wait(for: "the socket of the second", second) { isServed(socket) }
    #expect(second.end(SIGTERM) == 0)
    try wait(for: "the socket's end", second) { !FileManager.default.fileExists(atPath: socket) }
  }

  @Test func theForwarderEndsWithoutItsHelperAndTheNextTakesItsSocketsOver() throws {
    let folder = try folder()
    let socket = "\(folder.url.path)/vm/one/clh.sock_10240"
    let first = try Run(folder)
    try wait(for: "the socket", first) { isServed(socket) }
    kill(try first.helper(), SIGKILL)
    first.process.waitUntilExit()
    #expect(first.process.terminationStatus == 1)
    #expect(first.log.contains("the privileged helper"))
    // Nobody was there to remove it.
    #expect(FileManager.default.fileExists(atPath: socket))
    #expect(!isServed(socket))
    let second = try Run(folder)
    try wait(for: "the socket of the second", second) { isServed(socket) }
    #expect(second.end(SIGTERM) == 0)
  }

  @Test func watchesOfSandboxesThatAreGoneAreNotKept() throws {
    let folder = try folder()
    let run = try Run(folder)
    let socket = { (name: String) in "\(folder.url.path)/vm/\(name)/clh.sock_10240" }
    for index in 0..<100 { _ = try folder.make("vm/sandbox-\(index)") }
    for index in 0..<100 {
      try wait(for: "socket \(index)", run) { isServed(socket("sandbox-\(index)")) }
    }
    let helper = try run.helper()
    /// How many directories the helper watches, and how many files it has open.
    func held() throws -> (watches: Int, files: Int) {
      let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(helper)/fdinfo")
      let watches = files.compactMap {
        try? String(contentsOfFile: "/proc/\(helper)/fdinfo/\($0)", encoding: .utf8)
      }
      .reduce(0) { $0 + $1.split(separator: "\n").count { $0.hasPrefix("inotify wd:") } }
      return (watches, files.count)
    }
    #expect(try held().watches == 102)
    for index in 0..<100 {
      try FileManager.default.removeItem(at: folder.url.appendingPathComponent("vm/sandbox-\(index)"))
    }
    try wait(for: "the watches' end", run) { try held().watches == 2 }
    #expect(try held().files < 10)
    #expect(run.end(SIGTERM) == 0)
  }
}
