import Logging
import Synchronization
import System

/// Forces the spool to disk every ``SpoolOptions/syncInterval`` while something is written, on its own thread; it
/// sleeps while nothing is.
final class SpoolSyncer: Sendable {
  private let spool: Spool
  private let log: StructuredLog
  private let appended: Wakeup
  private let stopped: Wakeup
  private let isStopping = Atomic<Bool>(false)
  private let thread = Lock<WorkerThread?>(nil)

  init(_ spool: Spool, log: StructuredLog) throws(SystemCallError) {
    self.spool = spool
    self.log = log
    appended = try Wakeup()
    stopped = try Wakeup()
    spool.subscribe(appended)
  }

  func start() {
    guard spool.options.syncInterval > 0 else { return }
    thread.withLock { $0 = WorkerThread.start { [self] in run() } }
  }

  private func run() {
    while !isStopping.load(ordering: .acquiring) {
      appended.wait(milliseconds: -1)
      stopped.wait(milliseconds: spool.options.syncInterval)
      sync()
    }
  }

  private func sync() {
    do throws(SystemCallError) { try spool.sync() } catch {
      log.limited(.error, by: "sync", "the spool cannot be synced to disk", ["error": error.description])
    }
  }

  /// Syncs once more and ends.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    stopped.raise()
    appended.raise()
    thread.withLock { $0.take() }?.join()
    sync()
  }
}
