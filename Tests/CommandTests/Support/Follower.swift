import Foundation
import TestSupport

/// A run of the tool that goes on, whose output is read line by line.
final class Follower: @unchecked Sendable {
  private let process = Process()
  private let pipe = Pipe()
  private var buffer = Data()

  /// - Parameter prefix: a program and its arguments that runs the tool, such as one that enters a namespace.
  /// - Parameter input: a file for standard input.
  init(_ arguments: [String], prefix: [String] = [], input: String? = nil) throws {
    let command = try prefix + [Tool.path] + arguments
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardOutput = pipe
    process.standardInput =
      try input.map { try FileHandle(forReadingFrom: URL(fileURLWithPath: $0)) } ?? .nullDevice
    try process.run()
  }

  deinit { if process.isRunning { process.terminate() } }

  struct Ended: Error {}

  /// No machine is so slow: a line that takes as many milliseconds does not come.
  private static let patience: Int32 = 120_000

  /// The next line, without its end; throws when the output ends, or when none comes.
  func line() async throws -> String {
    while true {
      if let end = buffer.firstIndex(of: 0x0a) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer = Data(buffer[(end + 1)...])
        return line
      }
      var output = pollfd(fd: pipe.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&output, 1, Self.patience) != 0 else { throw Ended() }
      let more = pipe.fileHandleForReading.availableData
      if more.isEmpty { throw Ended() }
      buffer.append(more)
    }
  }

  /// The whole lines that a run which has ended had written and that were not read yet.
  func rest() -> [String] {
    // Nobody writes any more: what is there is all.
    while true {
      var output = pollfd(fd: pipe.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&output, 1, 0) > 0 else { break }
      let more = pipe.fileHandleForReading.availableData
      if more.isEmpty { break }
      buffer.append(more)
    }
    guard let end = buffer.lastIndex(of: 0x0a) else { return [] }
    return buffer[..<end].split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
  }

  func append(_ path: String, _ text: String) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  var identifier: Int32 { process.processIdentifier }

  /// Ends the run by a signal and returns its exit status, or the signal's number as a negative one.
  func stop(_ signal: Int32) -> Int32 {
    kill(process.processIdentifier, signal)
    return process.waitForStatus()
  }
}
