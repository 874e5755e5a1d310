import Basics
import CLinux
import Glibc
import Tracing

/// Receives the guest agents' frames: any number of listeners and connections on one thread.
///
/// Each connection has a turn of at most ``turnBytes`` while others wait, so that a busy guest takes no more than its
/// share. When the spool takes nothing, nothing is read: the guests' own sockets hold what they send.
final class AgentReceiver {
  let loop: EventLoop
  let limits: AgentLimits
  let metrics: Metrics
  let log: ForwarderLog
  let intake: SpanIntake
  private var listeners: [Int32: AgentListener] = [:]
  private(set) var connections: [Int32: AgentConnection] = [:]
  private var perPeer: [String: Int] = [:]
  /// Whether a connection ends as soon as nothing of it waits.
  fileprivate var isDraining = false
  /// Bytes that all connections' buffers have.
  var bufferedBytes = 0
  /// Reused for the span that is decoded, and for the records of a turn.
  var span = Span()

  static let turnBytes = 256 << 10

  init(loop: EventLoop, limits: AgentLimits, spool: Spool, metrics: Metrics, log: ForwarderLog) {
    self.loop = loop
    self.limits = limits
    self.metrics = metrics
    self.log = log
    intake = SpanIntake(spool: spool)
  }

  // MARK: Listeners

  func listen(_ file: consuming FileDescriptor, _ origin: SpanOrigin) {
    let listener = AgentListener(file, origin, self)
    do throws(SystemCallError) {
      try loop.add(listener.number, .read, listener)
      listeners[listener.number] = listener
      metrics.change(.listeners, origin.receiver, by: 1)
    } catch {
      log.error("a socket cannot be watched", ["error": error.description])
    }
  }

  /// Stops listening for a sandbox that is gone; its connections end when the guest's do.
  func stopListening(sandbox: String) {
    for (number, listener) in listeners where listener.origin.sandbox == sandbox {
      loop.remove(number)
      listeners[number] = nil
      metrics.change(.listeners, listener.origin.receiver, by: -1)
    }
  }

  /// Takes the connections that wait, stops listening, and reads what the agents have sent. A connection that is inside a
  /// frame is given time for the rest of it.
  func beginDraining() {
    for listener in listeners.values { accept(listener) }
    for number in listeners.keys { loop.remove(number) }
    listeners.removeAll()
    isDraining = true
    for connection in Array(connections.values) { connection.drain() }
  }

  /// Gives the spool what it did not take before, whatever its size is, and ends all connections.
  func finish() {
    for connection in Array(connections.values) { connection.finish() }
  }

  fileprivate func accept(_ listener: AgentListener) {
    // As many as there are, but not for ever: the others have their turn too.
    for _ in 0..<64 {
      var cid: UInt32 = 0
      let number = kata_accept(listener.number, &cid)
      if number < 0 {
        if errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS {
          log.limited(
            .error, by: "accept", "a connection cannot be accepted",
            ["error": SystemCallError("accept", "agent").reason])
        }
        return
      }
      let file = FileDescriptor(owning: number)
      var origin = listener.origin
      if origin.receiver == "vsock" { origin.cid = cid }
      metrics.add(.connections, origin.receiver)
      if let reason = refusal(origin) {
        metrics.add(.closed, reason)
        log.limited(
          .warning, by: origin.peer, "a connection was refused", ["peer": origin.peer, "reason": reason])
        continue
      }
      let connection = AgentConnection(file, origin, self)
      do throws(SystemCallError) {
        try loop.add(number, .read, connection)
      } catch {
        log.error("a connection cannot be watched", ["error": error.description])
        continue
      }
      connections[number] = connection
      metrics.change(.connections, origin.receiver, by: 1)
      perPeer[origin.peer, default: 0] += 1
      log.debug("an agent connected", ["peer": origin.peer])
    }
  }

  private func refusal(_ origin: SpanOrigin) -> String? {
    if connections.count >= limits.connections { return "too_many_connections" }
    if perPeer[origin.peer, default: 0] >= limits.connectionsPerGuest {
      return "too_many_connections_of_one_guest"
    }
    return nil
  }

  fileprivate func forget(_ connection: AgentConnection) {
    guard connections.removeValue(forKey: connection.number) != nil else { return }
    loop.remove(connection.number)
    bufferedBytes -= connection.bufferSize
    metrics.change(.connections, connection.origin.receiver, by: -1)
    let left = perPeer[connection.origin.peer, default: 1] - 1
    perPeer[connection.origin.peer] = left > 0 ? left : nil
  }
}

/// One socket that agents connect to.
final class AgentListener: EventHandler, IdleHandler {
  private let file: FileDescriptor
  let number: Int32
  let origin: SpanOrigin
  private unowned let receiver: AgentReceiver

  init(_ file: consuming FileDescriptor, _ origin: SpanOrigin, _ receiver: AgentReceiver) {
    number = file.number
    self.file = file
    self.origin = origin
    self.receiver = receiver
  }

  func ready(_ events: EventLoop.Events) { receiver.accept(self) }
  func tick(_ now: Int) {}
}

/// One agent's stream of frames.
final class AgentConnection: EventHandler {
  private let file: FileDescriptor
  let number: Int32
  let origin: SpanOrigin
  private unowned let receiver: AgentReceiver
  /// Bytes that were received and are no whole frame yet: those from ``consumed`` up to ``filled``.
  private var buffer: [UInt8]
  private var consumed = 0
  private var filled = 0
  private var lastByte = MonotonicClock.milliseconds
  private var frameStart: Int?
  /// Records that the spool did not take yet.
  private var pending = ByteWriter(capacity: 4 << 10)
  private var pendingCount = 0
  private var isPaused = false
  private var isEnded = false
  /// Frames of this turn, by encoding; counted together.
  private var received = 0
  private var bincodes = 0
  private var jsons = 0

  private static let initialBuffer = 16 << 10

  init(_ file: consuming FileDescriptor, _ origin: SpanOrigin, _ receiver: AgentReceiver) {
    number = file.number
    self.file = file
    self.origin = origin
    self.receiver = receiver
    buffer = [UInt8](repeating: 0, count: Self.initialBuffer)
    receiver.bufferedBytes += buffer.count
  }

  var bufferSize: Int { buffer.count }

  func ready(_ events: EventLoop.Events) {
    guard !isPaused else {
      // Only hang-ups arrive while paused; what is still to be read must wait for the spool.
      return
    }
    var read = 0
    while read < AgentReceiver.turnBytes, !isPaused, !isEnded {
      guard makeRoom() else { return close("out_of_memory") }
      let wanted = min(buffer.count - filled, AgentReceiver.turnBytes - read)
      let got = buffer.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { Glibc.read(number, $0 + filled, wanted) } ?? 0
      }
      if got < 0 {
        if errno == EAGAIN || errno == EINTR { break }
        return close("reset")
      }
      if got == 0 {
        isEnded = true
        break
      }
      filled += got
      read += got
      lastByte = MonotonicClock.milliseconds
      guard takeFrames() else { return }
    }
    if isEnded, !isPaused { return end() }
    if receiver.isDraining { endIfDrained() }
  }

  /// Reads what is there, and ends the connection when nothing of it waits.
  func drain() {
    if isPaused { return }
    ready(.read)
  }

  private func endIfDrained() {
    guard receiver.connections[number] === self, !isPaused, consumed == filled else { return }
    var pending: Int32 = 0
    if ioctl(number, UInt(FIONREAD), &pending) == 0, pending > 0 { return }
    receiver.forget(self)
  }

  /// Ends the connection now; what waits for the spool goes there even when it is full.
  func finish() {
    if pendingCount > 0 {
      do throws(SpoolRefusal) {
        try receiver.intake.append(pending, count: pendingCount, evenWhenFull: true)
      } catch {
        receiver.metrics.add(.rejected, "spool", pendingCount)
        receiver.log.error(
          "spans that were read are lost: the spool cannot be written", ["count": String(pendingCount)])
      }
      pendingCount = 0
    }
    end()
  }

  /// Room for more bytes behind those that wait. A buffer grows by what arrives, never by what a guest announces.
  private func makeRoom() -> Bool {
    if consumed > 0 {
      if filled > consumed {
        buffer.withUnsafeMutableBytes { bytes in
          if let base = bytes.baseAddress { memmove(base, base + consumed, filled - consumed) }
        }
      }
      filled -= consumed
      consumed = 0
    }
    if filled == 0, buffer.count > Self.initialBuffer * 16 { resize(Self.initialBuffer) }
    guard buffer.count - filled < 4 << 10 else { return true }
    let limit = receiver.limits.frameBytes + AgentFrame.headerBytes + (64 << 10)
    let size = min(buffer.count * 2, limit)
    guard size > buffer.count, receiver.bufferedBytes + size - buffer.count <= receiver.limits.bufferedBytes
    else {
      return buffer.count > filled
    }
    resize(size)
    return true
  }

  private func resize(_ size: Int) {
    receiver.bufferedBytes += size - buffer.count
    if size > buffer.count {
      buffer.append(contentsOf: repeatElement(0, count: size - buffer.count))
    } else {
      buffer = [UInt8](repeating: 0, count: size)
    }
  }

  /// Takes all whole frames; false when the connection was closed.
  private func takeFrames() -> Bool {
    let limit = UInt64(receiver.limits.frameBytes)
    var bad: UInt64?
    buffer.withUnsafeBytes { bytes in
      while filled - consumed >= AgentFrame.headerBytes {
        let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: consumed, as: UInt64.self))
        guard length <= limit, length > 0 else {
          bad = length
          return
        }
        let end = consumed + AgentFrame.headerBytes + Int(length)
        guard end <= filled else { return }
        let start = consumed + AgentFrame.headerBytes
        take(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        consumed = end
      }
    }
    if let bad {
      receiver.metrics.add(.rejected, "frame_length")
      log("a frame's length is 0 or over the limit", ["length": String(bad), "limit": String(limit)])
    }
    if consumed == filled {
      frameStart = nil
    } else if frameStart == nil {
      frameStart = MonotonicClock.milliseconds
    }
    count()
    flush()
    if bad != nil {
      if isPaused { isEnded = true } else { close("frame_length") }
      return false
    }
    return true
  }

  private func count() {
    receiver.metrics.add(.received, origin.receiver, received)
    receiver.metrics.add(.decoded, AgentFrame.Encoding.bincode.rawValue, bincodes)
    receiver.metrics.add(.decoded, AgentFrame.Encoding.json.rawValue, jsons)
    received = 0
    bincodes = 0
    jsons = 0
  }

  private func take(_ payload: UnsafeRawBufferPointer) {
    received += 1
    do throws(DecodingError) {
      switch try AgentFrame.decode(payload, limits: receiver.limits.span, into: &receiver.span) {
      case .bincode: bincodes += 1
      case .json: jsons += 1
      }
      origin.mark(&receiver.span, defaultService: receiver.limits.defaultService)
      receiver.intake.encode(receiver.span, to: &pending)
      pendingCount += 1
      if pending.count > 1 << 20 { flush() }
    } catch {
      receiver.metrics.add(.rejected, "\(error.reason)")
      log("a span was left out", ["reason": error.reason.rawValue, "offset": String(error.offset)])
    }
  }

  /// Gives the records to the spool. When it does not take them, reading stops until it does.
  private func flush() {
    guard pendingCount > 0 else { return }
    do throws(SpoolRefusal) {
      try receiver.intake.append(pending, count: pendingCount)
      pending.removeAll()
      pendingCount = 0
      if isPaused {
        isPaused = false
        receiver.loop.change(number, .read)
      }
    } catch {
      if !isPaused {
        isPaused = true
        receiver.loop.change(number, [])
      }
      switch error {
      case .full:
        receiver.log.limited(
          .warning, by: "spool", "the spool is full: reading from agents waits for the exporters")
      case .failed(let error):
        receiver.log.limited(
          .error, by: "spool", "the spool cannot be written: reading from agents waits",
          ["error": error.description])
      }
    }
  }

  func tick(_ now: Int) {
    if isPaused {
      flush()
      if isPaused { return }
      lastByte = now
      frameStart = frameStart.map { _ in now }
      if isEnded { return end() }
      if receiver.isDraining { return ready(.read) }
    }
    let limits = receiver.limits
    if let frameStart, now - frameStart > limits.frameTimeout { return close("partial_frame") }
    if limits.idleTimeout > 0, now - lastByte > limits.idleTimeout { close("idle") }
  }

  private func end() {
    if filled > consumed {
      receiver.metrics.add(.rejected, "truncated_frame")
      log("the connection ended inside a frame", ["bytes": String(filled - consumed)])
    }
    receiver.forget(self)
  }

  /// Ends the connection; whole frames were taken before.
  private func close(_ reason: String) {
    receiver.metrics.add(.closed, reason)
    log("the connection was closed", ["reason": reason])
    receiver.forget(self)
  }

  private func log(_ message: String, _ fields: KeyValuePairs<String, String>) {
    receiver.log.limited(
      .warning, by: origin.peer, message,
      ["peer": origin.peer, "detail": fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")])
  }
}
