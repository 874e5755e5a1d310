import CLinux
import Glibc

/// A child process. It must be waited for, or else it stays as a zombie until this process ends.
package struct Subprocess: Sendable {
  /// How a process has ended.
  package enum End: Equatable, Sendable {
    case exited(status: Int32)
    case killed(signal: Int32)
  }

  /// A descriptor of this process, and the number that the child has it as.
  package struct Descriptor {
    package var number: Int32
    package var child: Int32

    package init(_ number: Int32, as child: Int32) {
      self.number = number
      self.child = child
    }
  }

  /// The process's id.
  package let id: pid_t

  /// Starts a program with this process's environment. Besides the descriptors named here it gets those of this process
  /// that are not close-on-exec. It blocks and ignores no signal, whatever this process does.
  ///
  /// - Parameters:
  ///   - program: a path, or a name that is looked for in `PATH`.
  ///   - arguments: all of them; the first is the name that the program sees itself called by.
  package static func start(
    _ program: String, _ arguments: [String], descriptors: [Descriptor] = []
  ) throws(SystemCallError) -> Subprocess {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    var copies: [Int32] = []
    defer { for copy in copies { _ = Glibc.close(copy) } }
    let first = (descriptors.map(\.child).max() ?? 0) + 1
    for descriptor in descriptors {
      var number = descriptor.number
      // One that has a number that the child has for something, this one included, would be overwritten before it is
      // copied, or stay close-on-exec.
      if number < first {
        number = fcntl(number, F_DUPFD_CLOEXEC, first)
        guard number >= 0 else { throw SystemCallError("dup", program) }
        copies.append(number)
      }
      posix_spawn_file_actions_adddup2(&actions, number, descriptor.child)
    }
    clearSignals(&attributes)
    var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for text in list { free(text) } }
    var id = pid_t()
    let code = posix_spawnp(&id, program, &actions, &attributes, &list, environ)
    guard code == 0 else { throw SystemCallError("run", program, code: code) }
    return Subprocess(id: id)
  }

  /// Makes the child begin with no signal blocked and none ignored: both would be inherited from this process, and a
  /// program such as a decompressor relies on SIGPIPE and SIGTERM ending it.
  private static func clearSignals(_ attributes: inout posix_spawnattr_t) {
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
  }

  /// Waits until the process has ended. Call it once.
  package func wait() -> End {
    var status: Int32 = 0
    while waitpid(id, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7f
    return signal == 0 ? .exited(status: status >> 8 & 0xff) : .killed(signal: signal)
  }

  /// Asks the process to end.
  package func terminate() { _ = kill(id, SIGTERM) }
}

/// Both ends of a pipe, each close-on-exec.
package struct PipeEnds: ~Copyable {
  package let readEnd: FileDescriptor
  package let writeEnd: FileDescriptor

  package init(_ subject: String) throws(SystemCallError) {
    var ends: [Int32] = [-1, -1]
    guard kata_pipe(&ends) == 0 else { throw SystemCallError("pipe", subject) }
    readEnd = FileDescriptor(owning: ends[0])
    writeEnd = FileDescriptor(owning: ends[1])
  }

  /// The read end alone; the write end is closed.
  package consuming func takeReadEnd() -> FileDescriptor { readEnd }

  /// The write end alone; the read end is closed.
  package consuming func takeWriteEnd() -> FileDescriptor { writeEnd }
}
