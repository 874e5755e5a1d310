import Foundation
import TestSupport
import Testing

/// The forwarder as two processes: the one that makes the sandboxes' sockets, and the one that receives.
@Suite(.ownThreads, .timeLimit(.minutes(10))) struct ForwarderHelperTests {
  private func start(in folder: TemporaryFolder) throws -> ForwarderProcess {
    try ForwarderProcess.ready(
      ["--socket-path-template", "\(folder.url.path)/vm/{ID}/clh.sock", "--query", "127.0.0.1:0"],
      in: folder, agents: false)
  }

  private func socket(_ sandbox: String, _ folder: TemporaryFolder) -> String {
    "\(folder.url.path)/vm/\(sandbox)/clh.sock_10240"
  }

  private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// Whether somebody listens at a path.
  private func isServed(_ path: String) -> Bool { (try? LocalSocket(path: path)) != nil }

  @Test func theHelperEndsWithAForwarderThatIsKilledAndTheNextTakesOver() throws {
    let folder = try TemporaryFolder()
    _ = try folder.make("vm/one")
    let socket = socket("one", folder)
    let first = try start(in: folder)
    try first.wait("the socket") { isServed(socket) }
    let helper = try #require(first.children.first)
    #expect(first.stop(SIGKILL) == -SIGKILL)
    try first.wait("the helper's end") { !isThere("/proc/\(helper)/exe") }
    #expect(!isThere(socket))

    let second = try start(in: folder)
    try second.wait("the second's socket") { isServed(socket) }
    #expect(second.stop() == 0)
    try second.wait("the socket's end") { !isThere(socket) }
  }

  @Test func theForwarderEndsWithoutItsHelperAndTheNextTakesItsSocketsOver() throws {
    let folder = try TemporaryFolder()
    _ = try folder.make("vm/one")
    let socket = socket("one", folder)
    let first = try start(in: folder)
    try first.wait("the socket") { isServed(socket) }
    kill(try #require(first.children.first), SIGKILL)
    #expect(first.exitStatus == 1)
    #expect(first.log.contains("the privileged helper"))
    // Nobody was there to remove it.
    #expect(isThere(socket) && !isServed(socket))

    let second = try start(in: folder)
    try second.wait("the second's socket") { isServed(socket) }
    #expect(second.stop() == 0)
  }

  @Test func nothingIsKeptOfSandboxesThatAreGone() throws {
    let folder = try TemporaryFolder()
    let forwarder = try start(in: folder)
    let names = (0..<100).map { "sandbox-\($0)" }
    for name in names { _ = try folder.make("vm/\(name)") }
    for name in names { try forwarder.wait("the socket of \(name)") { isServed(socket(name, folder)) } }
    let helper = try #require(forwarder.children.first)
    // The directories on the way and that of all sandboxes, and one of each.
    let fixed = folder.url.pathComponents.count + 1
    #expect(try held(by: helper).watches == fixed + names.count)
    for name in names {
      try FileManager.default.removeItem(at: folder.url.appendingPathComponent("vm/\(name)"))
    }
    try forwarder.wait("the end of the watches") { try held(by: helper).watches == fixed }
    #expect(try held(by: helper).files < 10)
    try forwarder.wait("the end of the listeners") {
      try forwarder.metric("agent_listeners{receiver=\"hybrid\"}") == 0
    }
    #expect(forwarder.stop() == 0)
  }

  /// How many directories a process watches, and how many files it has open.
  private func held(by process: Int32) throws -> (watches: Int, files: Int) {
    let folder = "/proc/\(process)/fdinfo"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    let lines = files.compactMap { try? String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
      .flatMap { $0.split(separator: "\n") }
    return (lines.count { $0.hasPrefix("inotify wd:") }, files.count)
  }
}
