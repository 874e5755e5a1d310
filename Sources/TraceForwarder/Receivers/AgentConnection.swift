import Bytes
import System
import Tracing

/// One agent's stream of frames: reads it, decodes the spans and offers them to the spool.
///
/// What was read is in a ``FrameBuffer`` until it is a whole frame; spans that the spool refuses are in a
/// ``PendingBatch``. While a batch waits, reading is paused, and the guest's own socket holds what it sends.
final class AgentConnection: EventHandler {
  let file: FileDescriptor
  let origin: SpanOrigin
  /// The guest's name in the log, by which its connections are counted.
  let peer: String
  private let provenance: SpanProvenance
  private unowned let receiver: AgentReceiver
  private var frames: FrameBuffer
  private var pending = PendingBatch()
  private var lastByte = MonotonicClock.milliseconds
  /// When the incomplete frame began; nil if there is none.
  private var frameStart: Int?
  /// Whether reading is paused because the spool accepts nothing.
  private var isPaused = false
  /// Whether the agent has ended its stream.
  private var isEnded = false
  /// Whether the last turn read all that was there.
  private var isDry = false
  /// Why the connection will be closed once the spool has everything that was received before.
  private var fault: CloseReason?
  /// Why the connection exceeds a limit: it ends when everything that arrived on it is read.
  private var refusal: CloseReason?
  /// Frames of this turn, by encoding; counted together.
  private var received = 0
  private var bincodes = 0
  private var jsons = 0

  init(_ file: consuming FileDescriptor, _ origin: SpanOrigin, _ receiver: AgentReceiver) {
    self.file = file
    self.origin = origin
    peer = origin.peer
    provenance = SpanProvenance(guest: origin, receiver.limits)
    self.receiver = receiver
    frames = FrameBuffer(limit: receiver.limits.frameBytes)
    receiver.countBuffer(frames.capacity)
  }

  /// Bytes of memory that the frames' buffer has.
  var bufferSize: Int { frames.capacity }
  /// Whether spans wait here that the spool has refused.
  var holdsBatch: Bool { !pending.isEmpty }

  // MARK: Reading

  func ready(_ events: EventLoop.Events) {
    guard !isPaused else { return }
    if receiver.isBlocked, !receiver.isFinishing { return pause() }
    readTurn()
    settle()
  }

  /// Reads until nothing more is there or the turn is over.
  private func readTurn() {
    var read = 0
    isDry = false
    while read < AgentReceiver.turnBytes, !isPaused, !isEnded, fault == nil {
      guard makeRoom() else {
        fault = .outOfMemory
        return
      }
      switch receive(AgentReceiver.turnBytes - read) {
      case .bytes(let count):
        read += count
        lastByte = MonotonicClock.milliseconds
        takeFrames()
      case .end: isEnded = true
      case .nothing:
        isDry = true
        return
      case .failed: fault = .reset
      }
    }
  }

  /// Reads once into the frames' buffer, which must have room.
  private func receive(_ limit: Int) -> FileDescriptor.Received {
    var result = FileDescriptor.Received.nothing
    frames.fill(limit) { target in
      result = file.receive(into: target)
      if case .bytes(let count) = result { return count }
      return 0
    }
    return result
  }

  private func makeRoom() -> Bool {
    let before = frames.capacity
    let hasRoom = frames.makeRoom(allowance: receiver.bufferAllowance)
    receiver.countBuffer(frames.capacity - before)
    return hasRoom
  }

  // MARK: Frames

  /// Takes the whole frames that are there, and offers their spans to the spool.
  private func takeFrames() {
    var tookSome = false
    while !isPaused, fault == nil {
      switch frames.head {
      case .frame(let count):
        frames.withPayload(count) { take($0) }
        frames.dropFrame(count)
        tookSome = true
        if receiver.batch.records.count >= receiver.batchBytes { offer() }
        continue
      case .badLength(let length): reject(length)
      case .incomplete: break
      }
      break
    }
    if frames.isEmpty {
      frameStart = nil
    } else if frameStart == nil || tookSome {
      frameStart = MonotonicClock.milliseconds
    }
    count()
    offer()
  }

  private func take(_ payload: UnsafeRawBufferPointer) {
    received += 1
    do throws(CodecError) {
      switch try AgentFrame.decode(payload, limits: receiver.limits.span, into: &receiver.span) {
      case .bincode: bincodes += 1
      case .json: jsons += 1
      }
      provenance.mark(&receiver.span)
      receiver.batch.add { receiver.intake.encode(receiver.span, to: &$0) }
    } catch {
      receiver.metrics.add(.rejected, error.reason.label)
      log("a span was left out", ["reason": error.reason.rawValue, "offset": String(error.offset)])
    }
  }

  private func reject(_ length: UInt64) {
    fault = .frameLength
    receiver.metrics.add(.rejected, "frame_length")
    log(
      "a frame's length is 0 or over the limit",
      ["length": String(length), "limit": String(receiver.limits.frameBytes)])
  }

  private func count() {
    receiver.metrics.add(.received, origin.receiver, received)
    receiver.metrics.add(.decoded, AgentFrame.Encoding.bincode.rawValue, bincodes)
    receiver.metrics.add(.decoded, AgentFrame.Encoding.json.rawValue, jsons)
    received = 0
    bincodes = 0
    jsons = 0
  }

  // MARK: The spool

  /// Offers the turn's spans to the spool. When it refuses them they stay here and reading stops.
  private func offer() {
    if !receiver.offerTurn(orHoldIn: &pending) { pause() }
  }

  private func pause() {
    guard !isPaused else { return }
    isPaused = true
    // Without this a peer that has hung up would be reported again and again.
    receiver.loop.suspend(self)
  }

  /// Continues after a pause, first with the frames that were read before it.
  private func resume(_ now: Int) {
    guard receiver.retry(&pending), !receiver.isBlocked, receiver.loop.resume(self, .read) else {
      if receiver.lacksDescriptors { releaseIfEnded() }
      return
    }
    isPaused = false
    lastByte = now
    if frameStart != nil { frameStart = now }
    if fault == nil { takeFrames() }
    if refusal != nil, fault == nil, !isPaused { readTurn() }
    settle()
  }

  /// Ends a connection that its agent has ended without a whole frame, though the spool takes nothing now: it cannot be
  /// written for want of a descriptor, and this is where one comes from.
  private func releaseIfEnded() {
    guard pending.isEmpty, fault == nil else { return }
    while !isEnded, frames.head == .incomplete {
      guard makeRoom() else { return }
      switch receive(.max) {
      case .bytes: break
      case .nothing: return
      case .end, .failed: isEnded = true
      }
    }
    if isEnded, frames.head == .incomplete { end() }
  }

  // MARK: Ends

  /// Takes what has arrived of a connection that is one too many, and ends it: a frame that the agent has sent whole is
  /// not lost for having come over it. While the spool takes nothing this waits.
  func refuse(_ reason: CloseReason) {
    refusal = reason
    if !isPaused { ready(.read) }
  }

  /// Reads what is there, and ends the connection when nothing of it waits.
  func drain() {
    if !isPaused { ready(.read) }
  }

  /// Ends the connection now; what was read and what the kernel holds goes to the spool even when that is full.
  func finish() {
    isPaused = false
    if receiver.retry(&pending), fault == nil {
      takeFrames()
      readTurn()
    }
    let lost = pending.isEmpty ? 0 : pending.count + countRest()
    receiver.metrics.add(.rejected, "spool", lost)
    receiver.intake.losses.add(.spoolUnwritable, lost, [("peer", origin.peer)])
    let left = file.unreadBytes
    if left > 0 { receiver.intake.losses.add(.stopTimeout, 1, [("peer", peer), ("bytes", String(left))]) }
    end()
  }

  /// How many whole frames follow that are lost as well: those that were read, and those that a turn still reads.
  private func countRest() -> Int {
    var count = frames.dropFrames()
    var read = 0
    while read < AgentReceiver.turnBytes, makeRoom(), case .bytes(let got) = receive(.max) {
      read += got
      count += frames.dropFrames()
    }
    return count
  }

  /// Ends the connection if it is to end, now that what came before is in the spool.
  private func settle() {
    if isPaused { return }
    if let fault { return close(fault) }
    if isEnded { return end() }
    if let refusal { return close(refusal) }
    // Only trying tells that all is read: AF_VSOCK does not say how much waits.
    if receiver.isDraining, isDry, frames.isEmpty { receiver.forget(self) }
  }

  func tick(_ now: Int) {
    if isPaused { return resume(now) }
    if receiver.isDraining { return ready(.read) }
    let limits = receiver.limits
    if let frameStart, now - frameStart > limits.frameTimeout { return close(.partialFrame) }
    if limits.idleTimeout > 0, now - lastByte > limits.idleTimeout { close(.idle) }
  }

  private func end() {
    if !frames.isEmpty {
      receiver.metrics.add(.rejected, "truncated_frame")
      log("the connection ended inside a frame", ["bytes": String(frames.count)])
    }
    receiver.forget(self)
  }

  /// Ends the connection; whole frames were taken before.
  private func close(_ reason: CloseReason) {
    receiver.metrics.add(.closed, reason.rawValue)
    log(
      reason == refusal ? "a connection was refused" : "the connection was closed",
      ["reason": reason.rawValue])
    receiver.forget(self)
  }

  private func log(_ message: String, _ fields: KeyValuePairs<String, String>) {
    receiver.log.limited(
      .warning, by: peer, message,
      ["peer": peer, "detail": fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")])
  }
}
