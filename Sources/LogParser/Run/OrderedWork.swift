import Bytes
import Glibc
import System

/// Runs a bounded number of jobs at a time on several threads, and takes their results in the order of the jobs.
///
/// Jobs have one source and results one consumer; each worker and each result slot is used by one thread at a time.
/// With one thread, everything happens on the caller's, without locks.
package enum OrderedWork {
  /// - Parameters:
  ///   - threads: the number of workers; 1 uses the calling thread.
  ///   - nextJob: returns the next job, or nil; called by one thread at a time.
  ///   - makeWorker: creates the state that one thread keeps between jobs.
  ///   - perform: performs a job into a slot's buffer; called in parallel.
  ///   - consume: takes a result, in order, on the calling thread; false ends the work.
  package static func run<Job: Sendable, Worker: ~Copyable, Result>(
    threads: Int,
    nextJob: @escaping () -> Job?,
    makeWorker: @escaping () -> Worker,
    perform: @escaping (Job, inout Worker, inout OutputBuffer) -> Result,
    consume: (Result, borrowing OutputBuffer) -> Bool
  ) {
    if threads <= 1 {
      runInline(nextJob: nextJob, makeWorker: makeWorker, perform: perform, consume: consume)
      return
    }
    let shared = SharedWork(
      slots: threads * 2, nextJob: nextJob, makeWorker: makeWorker, perform: perform)
    var handles: [WorkerThread] = []
    for _ in 0..<threads {
      if let handle = shared.startThread() { handles.append(handle) }
    }
    if handles.isEmpty {
      runInline(nextJob: nextJob, makeWorker: makeWorker, perform: perform, consume: consume)
      return
    }
    shared.consumeAll(consume)
    for handle in handles { handle.join() }
  }

  private static func runInline<Job, Worker: ~Copyable, Result>(
    nextJob: () -> Job?, makeWorker: () -> Worker,
    perform: (Job, inout Worker, inout OutputBuffer) -> Result,
    consume: (Result, borrowing OutputBuffer) -> Bool
  ) {
    var worker = makeWorker()
    var buffer = OutputBuffer(capacity: 1 << 20)
    while let job = nextJob() {
      buffer.removeAll()
      let result = perform(job, &worker, &buffer)
      if !consume(result, buffer) { return }
    }
  }
}

/// The state that the threads share: a ring of slots under one lock.
///
/// Unchecked: `lock` guards everything but a slot's buffer and result, and those belong to the one thread that the
/// slot's phase names.
private final class SharedWork<Job, Worker: ~Copyable, Result>: @unchecked Sendable {
  private enum Phase { case free, busy, done }

  private final class Slot {
    var phase = Phase.free
    var buffer = OutputBuffer(capacity: 1 << 20)
    var result: Result?
  }

  private let nextJob: () -> Job?
  private let makeWorker: () -> Worker
  private let perform: (Job, inout Worker, inout OutputBuffer) -> Result
  private let slots: [Slot]
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var started = 0
  private var isExhausted = false

  init(
    slots: Int, nextJob: @escaping () -> Job?, makeWorker: @escaping () -> Worker,
    perform: @escaping (Job, inout Worker, inout OutputBuffer) -> Result
  ) {
    self.slots = (0..<slots).map { _ in Slot() }
    self.nextJob = nextJob
    self.makeWorker = makeWorker
    self.perform = perform
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(changed)
    lock.deallocate()
    changed.deallocate()
  }

  func startThread() -> WorkerThread? { WorkerThread.start { self.work() } }

  private func work() {
    var worker = makeWorker()
    while true {
      pthread_mutex_lock(lock)
      var slot = slots[started % slots.count]
      while !isExhausted, slot.phase != .free {
        pthread_cond_wait(changed, lock)
        slot = slots[started % slots.count]
      }
      guard !isExhausted, let job = nextJob() else {
        isExhausted = true
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
        return
      }
      slot.phase = .busy
      started += 1
      pthread_mutex_unlock(lock)

      slot.buffer.removeAll()
      slot.result = perform(job, &worker, &slot.buffer)

      pthread_mutex_lock(lock)
      slot.phase = .done
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(lock)
    }
  }

  func consumeAll(_ consume: (Result, borrowing OutputBuffer) -> Bool) {
    var index = 0
    while true {
      let slot = slots[index % slots.count]
      pthread_mutex_lock(lock)
      while slot.phase != .done, !(isExhausted && index >= started) { pthread_cond_wait(changed, lock) }
      let isDone = slot.phase == .done
      pthread_mutex_unlock(lock)
      guard isDone, let result = slot.result else { return }
      let goesOn = consume(result, slot.buffer)
      pthread_mutex_lock(lock)
      slot.phase = .free
      slot.result = nil
      index += 1
      if !goesOn { isExhausted = true }
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(lock)
      if !goesOn { return }
    }
  }
}
