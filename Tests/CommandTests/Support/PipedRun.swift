import Foundation
import TestSupport
import Testing

/// A run of the tool whose output goes to a pipe or a socket of which the test decides when it is read, and when closed.
final class PipedRun: @unchecked Sendable {
  enum Channel: CaseIterable { case pipe, socket }

  private let process = Process()
  private let readEnd: Int32
  private var isOpen = true
  /// All that was read.
  private(set) var output = Data()

  /// No machine is so slow, in milliseconds.
  private static let patience = 120_000

  /// - Parameter errors: a file for standard error; what goes there is dropped when it is nil.
  init(_ arguments: [String], over channel: Channel = .pipe, errors: String? = nil) throws {
    var ends: [Int32] = [-1, -1]
    let result =
      channel == .pipe ? pipe(&ends) : socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
    guard result == 0 else { throw Journal.Failure(message: "no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    readEnd = ends[0]
    let writeEnd = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    process.executableURL = try URL(fileURLWithPath: Tool.path)
    process.arguments = arguments
    process.standardOutput = writeEnd
    if let errors { try Data().write(to: URL(fileURLWithPath: errors)) }
    process.standardError =
      try errors.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) } ?? .nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    try writeEnd.close()
  }

  deinit {
    close()
    if process.isRunning { process.terminate() }
  }

  var isRunning: Bool { process.isRunning }

  /// Bytes that were written and not read yet.
  var unread: Int {
    var count: Int32 = 0
    return ioctl(readEnd, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
  }

  /// The whole lines that were read.
  var lines: [String] {
    guard let end = output.lastIndex(of: 0x0a) else { return [] }
    return output[..<end].split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Reads until so many bytes are read in all, or until the output ends.
  func read(upTo count: Int = .max) {
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    while output.count < count {
      var file = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
      guard poll(&file, 1, Int32(Self.patience)) > 0 else {
        Issue.record("no output comes, and no end")
        return
      }
      let got = Glibc.read(readEnd, &bytes, min(bytes.count, count - output.count))
      guard got > 0 else { return }
      output.append(contentsOf: bytes[..<got])
    }
  }

  /// Reads what is there, and does not wait for more.
  func readWaiting() { read(upTo: output.count + unread) }

  func close() {
    if isOpen { Glibc.close(readEnd) }
    isOpen = false
  }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Whether a signal was sent that the run has not taken yet.
  func isSignalPending(_ number: Int32) -> Bool { has(number, in: ["SigPnd:", "ShdPnd:"]) }

  /// Whether the run takes the signals that end it itself. That they are blocked shows nothing: a run begins with those that
  /// its parent blocks.
  var takesSignals: Bool {
    let folder = "/proc/\(process.processIdentifier)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?.contains("signalfd")
        == true
    }
  }

  /// Whether one of the sets of signals that the kernel shows has a signal.
  private func has(_ number: Int32, in sets: [String]) -> Bool {
    let status =
      (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
    return status.split(separator: "\n").contains { line in
      sets.contains { line.hasPrefix($0) }
        && (line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0) >> UInt64(number - 1) & 1
          == 1
    }
  }

  /// The exit status, or the number of the signal that ended the run as a negative one.
  func status() -> Int32 {
    if !(waits { !self.process.isRunning }) {
      Issue.record("the run does not end")
      kill(process.processIdentifier, SIGKILL)
    }
    return process.waitForStatus()
  }

  /// Looks again and again whether a condition holds; false when it never does.
  func waits(until condition: () -> Bool) -> Bool {
    Deadline.holds(condition)
  }
}
