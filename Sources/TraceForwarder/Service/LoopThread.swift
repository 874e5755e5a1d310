import Glibc
import Synchronization
import System

/// A service of an event loop, on its own thread. It is created, called and released there.
protocol LoopService: AnyObject {
  /// Asks it to accept nothing new and to finish what has begun.
  func beginStop()
  /// A failure after which it cannot continue; nil while all is well.
  var failure: SystemCallError? { get }
  /// Whether all has ended.
  var isStopped: Bool { get }
  /// Called when the loop ends, whether everything has ended or the deadline has passed.
  func finish()
}

/// An event loop that has its own thread.
final class LoopThread: Sendable {
  private struct State {
    var isStopping = false
    /// Milliseconds of the monotonic clock.
    var deadline = Int.max
    var failure: SystemCallError?
  }

  let name: String
  private let wakeup: Wakeup
  private let state = Lock(State())
  private let lastTurn = Atomic<Int>(MonotonicClock.milliseconds)
  private let thread = Lock<WorkerThread?>(nil)

  init(_ name: String) throws(SystemCallError) {
    self.name = name
    wakeup = try Wakeup()
  }

  /// Makes the service on the new thread and serves until ``stop(deadline:)``. Returns when the service is made or has
  /// failed: it has the descriptors that it needs before another service, started later, lets peers take the rest.
  func start(_ make: @escaping @Sendable (EventLoop) throws(SystemCallError) -> any LoopService) {
    do throws(SystemCallError) {
      let made = try Wakeup()
      let started = WorkerThread.start { [self] in run(make, made) }
      guard let started else { throw SystemCallError("start a thread", name, code: EAGAIN) }
      thread.withLock { $0 = started }
      made.wait(milliseconds: -1)
    } catch {
      state.withLock { $0.failure = error }
    }
  }

  private func run(_ make: (EventLoop) throws(SystemCallError) -> any LoopService, _ made: Wakeup) {
    defer { made.raise() }
    do throws(SystemCallError) {
      let loop = try EventLoop()
      let service = try make(loop)
      let mailbox = Mailbox(self, loop, service)
      try loop.add(mailbox, .read)
      made.raise()
      loop.run { [self] in
        lastTurn.store(MonotonicClock.milliseconds, ordering: .relaxed)
        mailbox.look()
      }
      service.finish()
    } catch {
      state.withLock { $0.failure = error }
    }
  }

  /// Why it could not start or go on.
  var failure: SystemCallError? { state.withLock { $0.failure } }

  /// Milliseconds since its last turn: few, unless it hangs.
  var silence: Int { MonotonicClock.milliseconds - lastTurn.load(ordering: .relaxed) }

  func stop(deadline: Int) {
    state.withLock {
      $0.isStopping = true
      $0.deadline = deadline
    }
    wakeup.raise()
  }

  func join() { thread.withLock { $0.take() }?.join() }

  private final class Mailbox: EventHandler, IdleHandler {
    /// The wakeup's, which is open for as long as the thread is there.
    let file: FileDescriptor
    private let thread: LoopThread
    private unowned let loop: EventLoop
    private let service: any LoopService
    private var isStopping = false

    init(_ thread: LoopThread, _ loop: EventLoop, _ service: any LoopService) {
      file = FileDescriptor(borrowing: thread.wakeup.file.number)
      self.thread = thread
      self.loop = loop
      self.service = service
    }

    func ready(_ events: EventLoop.Events) { thread.wakeup.clear() }
    func tick(_ now: Int) {}

    /// Called after each turn of the loop.
    func look() {
      let state = thread.state.withLock { state in
        state.failure = state.failure ?? service.failure
        return state
      }
      guard state.isStopping else { return }
      if !isStopping {
        isStopping = true
        service.beginStop()
      }
      if service.isStopped || MonotonicClock.milliseconds >= state.deadline { loop.stop() }
    }
  }
}
