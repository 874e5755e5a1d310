import Foundation

/// Takes datagrams on a thread of its own, as fast as they come.
final class DatagramCollector: @unchecked Sendable {
  private let lock = NSLock()
  private var datagrams: [Data] = []
  private var isDone = false

  init(_ socket: LocalSocket) {
    socket.setTimeout(50)
    Thread.detachNewThread { [self] in
      while !lock.withLock({ isDone }) {
        guard let data = try? socket.read(70_000) else { continue }
        lock.withLock { datagrams.append(data) }
      }
    }
  }

  var all: [Data] { lock.withLock { datagrams } }
  func stop() { lock.withLock { isDone = true } }
}
