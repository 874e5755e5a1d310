import Glibc

/// An operating system thread that runs one closure: for blocking or long-running work, which must not occupy the
/// concurrency runtime's own threads.
package struct WorkerThread: Sendable {
  private let handle: pthread_t

  /// Starts a thread; nil if the system cannot create one.
  package static func start(_ body: @escaping @Sendable () -> Void) -> WorkerThread? {
    let context = Unmanaged.passRetained(ThreadBody(body))
    var handle = pthread_t()
    guard pthread_create(&handle, nil, runThread, context.toOpaque()) == 0 else {
      context.release()
      return nil
    }
    return WorkerThread(handle: handle)
  }

  /// Waits until the closure has returned. Call it once.
  package func join() { pthread_join(handle, nil) }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
  return nil
}
