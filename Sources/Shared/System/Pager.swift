import Glibc
import Synchronization

/// A program that shows this process's output screen by screen, as in git: it gets standard output, and also standard
/// error if that is a terminal.
///
/// A signal that ends this process does not end the pager, because the user may still be reading: its input ends, and
/// the process waits for it before it dies from the signal.
package struct Pager: Sendable {
  private let process: Subprocess

  /// Starts the user's pager; nil, with no change, if there is none.
  ///
  /// - Parameter variables: the names of environment variables, of which the first that is set holds the command. An
  ///   empty command, and `cat`, mean none. Without a variable it is `less`.
  package static func start(variables: [String]) -> Pager? {
    let command = variables.lazy.compactMap { getenv($0).map { String(cString: $0) } }.first ?? "less"
    guard !command.allSatisfy(\.isWhitespace), command != "cat" else { return nil }
    setDefaults()
    let hasErrors = Terminal(STDERR_FILENO).isTerminal
    do throws(SystemCallError) {
      let pipe = try PipeEnds("the pager")
      let process = try start(command, input: pipe.readEnd.number)
      let writeEnd = pipe.takeWriteEnd()
      guard dup2(writeEnd.number, STDOUT_FILENO) >= 0 else {
        process.terminate()
        _ = process.wait()
        return nil
      }
      if hasErrors { _ = dup2(writeEnd.number, STDERR_FILENO) }
      PagerSignals.take(process.id, hasErrors: hasErrors)
      return Pager(process: process)
    } catch {
      return nil
    }
  }

  /// Ends the pager's input, and waits until the user has left it.
  package func finish() {
    PagerSignals.endInput()
    _ = process.wait()
  }

  private static func start(_ command: String, input: Int32) throws(SystemCallError) -> Subprocess {
    let descriptors = [Subprocess.Descriptor(input, as: STDIN_FILENO)]
    // Only what needs a shell gets one. A program that it does not find leaves the text to be shown as it is.
    if command.contains(where: { "|&;<>()$`\\\"'\n*?[#~=%{}!".contains($0) }) {
      return try Subprocess.start(
        "/bin/sh", ["sh", "-c", "\(command)\nstatus=$?\n[ $status -ne 127 ] || exec cat\nexit $status"],
        descriptors: descriptors)
    }
    let words = command.split(whereSeparator: \.isWhitespace).map(String.init)
    return try Subprocess.start(words[0], words, descriptors: descriptors)
  }

  /// What git sets for less and lv, unless the user did: to end when all fits on one screen, to let colours through,
  /// and to leave the text on the screen.
  private static func setDefaults() {
    setenv("LESS", "FRX", 0)
    setenv("LV", "-c", 0)
    // A user who may run only this program as root must not get a shell from the pager.
    if getenv("SUDO_UID") != nil || getuid() != geteuid() { setenv("LESSSECURE", "1", 1) }
  }
}

/// What signals do while a pager runs. Handlers know nothing but what is global.
private enum PagerSignals {
  private static let process = Atomic<Int32>(0)
  private static let takesErrors = Atomic(false)

  static func take(_ id: pid_t, hasErrors: Bool) {
    process.store(id, ordering: .relaxed)
    takesErrors.store(hasErrors, ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
      // Signals that were ignored at the start stay ignored.
      if let before = signal(number, handle), unsafeBitCast(before, to: Int.self) == 1 {
        signal(number, SIG_IGN)
      }
    }
  }

  /// Takes the pipe off the standard descriptors. They stay open, to nowhere, for threads that still write.
  static func endInput() {
    let nowhere = open("/dev/null", O_WRONLY)
    guard nowhere >= 0 else {
      _ = close(STDOUT_FILENO)
      if takesErrors.load(ordering: .relaxed) { _ = close(STDERR_FILENO) }
      return
    }
    _ = dup2(nowhere, STDOUT_FILENO)
    if takesErrors.load(ordering: .relaxed) { _ = dup2(nowhere, STDERR_FILENO) }
    _ = close(nowhere)
  }

  /// Only calls that are safe in a handler of signals: https://man7.org/linux/man-pages/man7/signal-safety.7.html
  private static let handle: @convention(c) (Int32) -> Void = { number in
    let code = errno
    endInput()
    var status: Int32 = 0
    while waitpid(process.load(ordering: .relaxed), &status, 0) < 0, errno == EINTR {}
    signal(number, SIG_DFL)
    raise(number)
    errno = code
  }
}
