import Glibc
import System
import TestSupport
import Testing

/// Signals as something to read. They are sent to the test's own thread, where no other test sees them.
@Suite(.ownThreads) struct StopSignalTests {
  /// Runs `body` with SIGUSR1 and SIGWINCH blocked as `StopSignals` does it, and restores the thread's mask.
  private func withSignals(_ body: (borrowing StopSignals) throws -> Void) throws {
    var before = sigset_t()
    pthread_sigmask(SIG_SETMASK, nil, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body(StopSignals([SIGUSR1, SIGWINCH]))
  }

  @Test func nothingIsThereBeforeASignal() throws {
    try withSignals { signals in
      #expect(signals.next() == nil)
      #expect(StreamSocket.hasInput(signals.file) == false)
    }
  }

  @Test func signalIsReadInsteadOfEndingTheProcess() throws {
    try withSignals { signals in
      pthread_kill(pthread_self(), SIGUSR1)
      #expect(StreamSocket.hasInput(signals.file) == true)
      #expect(signals.next() == SIGUSR1)
      #expect(signals.next() == nil)
    }
  }

  @Test func eachSignalIsTakenOnce() throws {
    try withSignals { signals in
      pthread_kill(pthread_self(), SIGWINCH)
      pthread_kill(pthread_self(), SIGUSR1)
      pthread_kill(pthread_self(), SIGUSR1)
      #expect(Set([signals.next(), signals.next()]) == [SIGUSR1, SIGWINCH])
      #expect(signals.next() == nil)
    }
  }

  @Test func descriptorIsCloseOnExecAndDoesNotBlock() throws {
    try withSignals { signals in
      #expect(fcntl(signals.file.number, F_GETFD) & FD_CLOEXEC != 0)
      #expect(fcntl(signals.file.number, F_GETFL) & O_NONBLOCK != 0)
    }
  }
}
