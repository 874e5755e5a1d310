import CLinux
import Glibc
import Logging
import System
import Tracing

/// Receives the guest agents' frames: any number of listeners and connections on one thread.
///
/// Each connection has a turn of at most ``turnBytes`` while others wait, so that a busy guest takes no more than its
/// share. While the spool accepts nothing, nothing is read: the guests' own sockets hold what they send.
final class AgentReceiver {
  let loop: EventLoop
  let limits: AgentLimits
  let metrics: Metrics
  let log: StructuredLog
  let intake: SpanIntake
  private var listeners: [ObjectIdentifier: AgentListener] = [:]
  private(set) var connections: [ObjectIdentifier: AgentConnection] = [:]
  private var perPeer: [String: Int] = [:]
  /// Whether a connection ends as soon as nothing of it waits.
  private(set) var isDraining = false
  /// Bytes that all connections' buffers have.
  private var bufferedBytes = 0
  /// Reused for the span that is decoded.
  var span = Span()
  /// Reused for the spans of a connection's turn.
  var batch = SpanBatch(capacity: 64 << 10)
  /// Connections that hold a batch which the spool has refused. While there is one nothing is read from any, so that
  /// what waits in memory does not grow.
  private var refused = 0
  /// Whether the spool took nothing, the last time that it did not, for want of a descriptor.
  private(set) var lacksDescriptors = false
  /// Whether the spool is to take records even when it is full: what was read must be kept.
  private(set) var isFinishing = false

  /// Bytes of a connection's turn.
  static let turnBytes = 256 << 10
  /// Bytes of records that are handed to the spool at once, but for a single larger one.
  let batchBytes: Int

  init(loop: EventLoop, limits: AgentLimits, spool: Spool, metrics: Metrics, log: StructuredLog) {
    self.loop = loop
    self.limits = limits
    self.metrics = metrics
    self.log = log
    intake = SpanIntake(spool: spool)
    batchBytes = min(1 << 20, spool.options.segmentSize)
  }

  // MARK: The spool

  /// Whether no connection may read, because a batch waits for the spool.
  var isBlocked: Bool { refused > 0 }

  /// Offers a batch to the spool; false, with a log line, if it accepts nothing at present.
  func offer(_ batch: borrowing SpanBatch) -> Bool {
    do throws(SpoolRefusal) {
      try intake.append(batch, evenWhenFull: isFinishing)
      return true
    } catch {
      lacksDescriptors = false
      switch error {
      case .full:
        log.limited(
          .warning, by: "spool", "the spool is full: reading from agents is paused until exporters catch up")
      case .failed(let error):
        lacksDescriptors = error.code == EMFILE || error.code == ENFILE
        log.limited(
          .error, by: "spool", "the spool cannot be written: reading from agents is paused",
          ["error": error.description])
      }
      return false
    }
  }

  /// Offers the batch of a turn. What is refused is moved into the connection's own batch.
  func offerTurn(orHoldIn pending: inout PendingBatch) -> Bool {
    if batch.isEmpty { return true }
    if offer(batch) {
      batch.removeAll()
      return true
    }
    pending.hold(&batch)
    refused += 1
    return false
  }

  /// Offers again what a connection holds.
  func retry(_ pending: inout PendingBatch) -> Bool {
    if pending.isEmpty { return true }
    guard pending.retry(offer) else { return false }
    refused -= 1
    return true
  }

  // MARK: Memory

  /// How many bytes larger the connections' buffers may become, together.
  var bufferAllowance: Int { limits.bufferedBytes - bufferedBytes }

  /// Accounts for a change in the size of a connection's buffer.
  func countBuffer(_ change: Int) { bufferedBytes += change }

  // MARK: Listeners

  /// Listens on a socket; nil if that fails, which the log then says.
  @discardableResult
  func listen(_ file: consuming FileDescriptor, _ origin: SpanOrigin) -> AgentListener? {
    let listener = AgentListener(file, origin, self)
    do throws(SystemCallError) {
      try loop.add(listener, .read)
      listeners[ObjectIdentifier(listener)] = listener
      metrics.change(.listeners, origin.receiver, by: 1)
      return listener
    } catch {
      log.error("a socket cannot be watched", ["error": error.description])
      return nil
    }
  }

  /// Closes a listener, as of a sandbox that is gone; its connections end when the guest's do.
  func stopListening(_ listener: AgentListener) {
    guard listeners.removeValue(forKey: ObjectIdentifier(listener)) != nil else { return }
    loop.remove(listener)
    metrics.change(.listeners, listener.origin.receiver, by: -1)
  }

  /// Takes the connections that wait, stops listening, and reads what the agents have sent. A connection that is inside
  /// a frame is given time for the rest of it.
  func beginDraining() {
    for listener in listeners.values { while accept(listener) {} }
    for listener in listeners.values { loop.remove(listener) }
    listeners.removeAll()
    isDraining = true
    for connection in Array(connections.values) { connection.drain() }
  }

  /// Gives the spool what it did not take before, whatever its size is, and ends all connections.
  func finish() {
    isFinishing = true
    for connection in Array(connections.values) { connection.finish() }
  }

  /// Accepts some of the connections that wait; false when none is left. Not all at once: the others have their turn
  /// too.
  @discardableResult
  func accept(_ listener: AgentListener) -> Bool {
    // Guests that have no ended connection: they are not looked through again in this turn.
    var busy: Set<String> = []
    for _ in 0..<64 {
      // One that is too many could neither be read nor be closed without losing what it has sent: it waits in the
      // kernel.
      if isBlocked, !isDraining, connections.count >= limits.connections {
        listener.pause()
        return false
      }
      switch ListeningSocket.accept(listener.file) {
      case .connection(let file, let cid):
        var origin = listener.origin
        if origin.transport == .vsock { origin.cid = cid }
        admit(file, origin, &busy)
      case .retry: continue
      case .nothing: return false
      case .noDescriptor(let code):
        guard ListeningSocket.hasConnection(listener.file) else { return false }
        if reapEnded() { continue }
        let error = SystemCallError("accept", "agent", code: code)
        log.limited(.error, by: "accept", "a connection cannot be accepted", ["error": error.reason])
        // Until the next tick: it would be told of the same connection again and again.
        listener.pause()
        return false
      }
    }
    return true
  }

  private func admit(_ file: consuming FileDescriptor, _ origin: SpanOrigin, _ busy: inout Set<String>) {
    metrics.add(.connections, origin.receiver)
    let connection = AgentConnection(file, origin, self)
    let reason = refusal(connection.peer, &busy)
    do throws(SystemCallError) {
      try loop.add(connection, .read)
    } catch {
      countBuffer(-connection.bufferSize)
      log.error("a connection cannot be watched", ["error": error.description])
      return
    }
    connections[ObjectIdentifier(connection)] = connection
    metrics.change(.connections, origin.receiver, by: 1)
    perPeer[connection.peer, default: 0] += 1
    log.debug("an agent connected", ["peer": connection.peer])
    if let reason { connection.refuse(reason) }
  }

  /// Why one more connection of this guest is one too many. Ended ones, which the loop has not come to yet, do not
  /// count.
  private func refusal(_ peer: String, _ busy: inout Set<String>) -> CloseReason? {
    if connections.count >= limits.connections, busy.contains("") || !reapEnded() {
      busy.insert("")
      return .tooManyConnections
    }
    if perPeer[peer, default: 0] >= limits.connectionsPerGuest, busy.contains(peer) || !reapEnded(of: peer) {
      busy.insert(peer)
      return .tooManyOfOneGuest
    }
    return nil
  }

  /// Reads connections whose agents have closed them to their end; false when none could be let go of.
  /// - Parameter peer: the guest; nil for all.
  private func reapEnded(of peer: String? = nil) -> Bool {
    let found = connections.values.filter { peer == nil || $0.peer == peer }
    var entries = found.map {
      pollfd(fd: $0.file.number, events: Int16(truncatingIfNeeded: EPOLLRDHUP.rawValue), revents: 0)
    }
    guard poll(&entries, nfds_t(entries.count), 0) > 0 else { return false }
    let before = connections.count
    for (connection, entry) in zip(found, entries) where entry.revents != 0 {
      // A socket's buffer may hold more than a turn takes.
      for _ in 0..<4 where connections[ObjectIdentifier(connection)] != nil { connection.ready(.read) }
    }
    return connections.count < before
  }

  /// Releases a connection, which closes it.
  func forget(_ connection: AgentConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    loop.remove(connection)
    countBuffer(-connection.bufferSize)
    if connection.holdsBatch { refused -= 1 }
    metrics.change(.connections, connection.origin.receiver, by: -1)
    let left = perPeer[connection.peer, default: 1] - 1
    perPeer[connection.peer] = left > 0 ? left : nil
  }
}
