import Foundation
import TestSupport

/// Journal files made by systemd's own tools.
enum Journal {
  static let remote = "/lib/systemd/systemd-journal-remote"
  static let daemon = "/lib/systemd/systemd-journald"

  /// One entry in the journal's export format; a value that is no plain line is written in the binary form.
  static func entry(_ number: Int, _ fields: [(String, Data)]) -> Data {
    let time = 1_772_686_914_000_000 + number * 1000
    let boot = "11112222333344445555666677778888"
    var data = Data(
      """
      __CURSOR=s=aaaabbbbccccddddaaaabbbbccccdddd;i=\(String(number + 1, radix: 16));b=\(boot);m=\(number);t=\(time);x=\(number)
      __REALTIME_TIMESTAMP=\(time)
      __MONOTONIC_TIMESTAMP=\(number * 1000)
      _BOOT_ID=\(boot)
      _MACHINE_ID=0123456789abcdef0123456789abcdef
      _HOSTNAME=node1
      _PID=\(100 + number % 7)

      """.utf8)
    for (name, value) in fields {
      if value.contains(where: { $0 < 0x20 || $0 > 0x7e }) {
        data += Data("\(name)\n".utf8)
        withUnsafeBytes(of: UInt64(value.count).littleEndian) { data += Data($0) }
        data += value + Data("\n".utf8)
      } else {
        data += Data("\(name)=".utf8) + value + Data("\n".utf8)
      }
    }
    return data + Data("\n".utf8)
  }

  static func text(_ fields: [(String, String)]) -> [(String, Data)] {
    fields.map { ($0.0, Data($0.1.utf8)) }
  }

  /// Makes a journal file of entries and returns its path.
  static func make(_ entries: [Data], in folder: TemporaryFolder, name: String = "test.journal") throws
    -> String
  {
    let path = folder.url.appendingPathComponent(name).path
    let result = try Tool.run(remote, ["--output=\(path)", "-"], input: entries.reduce(Data(), +))
    guard result.status == 0 else { throw Failure(message: result.errorText) }
    return path
  }

  struct Failure: Error { var message: String }

  /// The entries of a file as `journalctl -o json` gives them.
  static func read(_ path: String, _ arguments: [String] = []) throws -> [[String: Any]] {
    let result = try Tool.run(
      "/usr/bin/journalctl", ["--file", path, "--all", "--output=json", "--no-pager"] + arguments)
    return try result.output.split(separator: 0x0a).compactMap {
      try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any]
    }
  }
}

/// A systemd-journald in a mount namespace of its own.
final class PrivateJournald: @unchecked Sendable {
  /// Whether this machine lets a test have one.
  static let isPossible: Bool = {
    FileManager.default.isExecutableFile(atPath: Journal.daemon)
      && (try? Tool.run("/usr/bin/unshare", ["--mount", "true"]).status) == 0
  }()

  private let folder: TemporaryFolder
  private let process = Process()
  private let input = Pipe()
  let identifier: String

  init() throws {
    folder = try TemporaryFolder()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = [
      "--mount", Repository.path("Tests/Support/private-journald"), folder.url.path,
    ]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let ready = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    guard ready.hasPrefix("ready ") else { throw Journal.Failure(message: "journald did not start") }
    identifier = ready.dropFirst(6).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// A program and its arguments that runs another one in journald's namespace.
  var prefix: [String] { ["/usr/bin/nsenter", "--target", identifier, "--mount"] }

  func run(_ program: String, _ arguments: [String], input: Data = Data()) throws -> Tool.Result {
    try Tool.run(prefix[0], Array(prefix.dropFirst()) + [program] + arguments, input: input)
  }

  /// Sends an entry of native fields, one `NAME=value` a line, to journald's socket.
  func send(_ entry: String) throws {
    let script = """
      import socket, sys
      out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      out.connect("/run/systemd/journal/socket")
      for entry in sys.stdin.read().split("\\n\\n"):
          if entry.strip(): out.send(entry.encode() + b"\\n")
      """
    let result = try run("/usr/bin/python3", ["-c", script], input: Data(entry.utf8))
    guard result.status == 0 else { throw Journal.Failure(message: result.errorText) }
  }

  func rotate() throws { kill(try requireValue(Int32(identifier)), SIGUSR2) }

  private func requireValue<T>(_ value: T?) throws -> T {
    guard let value else { throw Journal.Failure(message: "journald has no process id") }
    return value
  }
}
