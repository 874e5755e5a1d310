import Glibc
import System
import TestSupport
import Testing

/// What a child process inherits of this one's signals.
@Suite(.ownThreads) struct ChildSignalTests {
  /// The sets of signals in `/proc/PID/status` of a child that was started by a thread that blocks and ignores some.
  private func signalSets() throws -> [Substring: Substring] {
    let output = try PipeEnds("pipe")
    var blocked = sigset_t()
    var before = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGTERM, SIGINT, SIGUSR1] { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_BLOCK, &blocked, &before)
    let old = signal(SIGUSR2, SIG_IGN)
    defer {
      _ = signal(SIGUSR2, old)
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    let process = try Subprocess.start(
      "cat", ["cat", "/proc/self/status"], descriptors: [.init(output.writeEnd.number, as: STDOUT_FILENO)])
    let end = output.takeReadEnd()
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = try end.read(into: &buffer, count: buffer.count, subject: "pipe"), count > 0 {
      text += buffer[..<count]
    }
    #expect(process.wait() == .exited(status: 0))
    var sets: [Substring: Substring] = [:]
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Sig") {
      let parts = line.split(separator: ":\t")
      if parts.count == 2 { sets[parts[0]] = parts[1] }
    }
    return sets
  }

  /// The signals of a set, without the two that the C library keeps for itself and nobody can change.
  private func numbers(_ set: Substring?) throws -> [Int32] {
    let bits = try #require(set.flatMap { UInt64($0, radix: 16) })
    return (1...64).filter { bits >> (UInt64($0) - 1) & 1 != 0 && $0 != 32 && $0 != 33 }
  }

  @Test func childBlocksAndIgnoresNoSignal() throws {
    let sets = try signalSets()
    #expect(try numbers(sets["SigBlk"]) == [])
    #expect(try numbers(sets["SigIgn"]) == [])
  }
}
