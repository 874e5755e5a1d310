import Bytes
import CLinux
import Glibc
import System
import Tracing

/// One agent's stream of frames.
final class AgentConnection: EventHandler {
  private let file: FileDescriptor
  let number: Int32
  let origin: SpanOrigin
  /// What the log calls the guest, and what its connections are counted by.
  let peer: String
  private let provenance: SpanProvenance
  private unowned let receiver: AgentReceiver
  /// Bytes that were received and are no whole frame yet: those from ``consumed`` up to ``filled``.
  private var buffer: [UInt8]
  private var consumed = 0
  private var filled = 0
  private var lastByte = MonotonicClock.milliseconds
  private var frameStart: Int?
  /// Spans in the receiver's records that are of this turn.
  private var taken = 0
  /// Records that the spool did not take yet, and how many.
  private var pending = ByteWriter(capacity: 64)
  private var pendingCount = 0
  /// Whether nothing is read because the spool takes nothing.
  private var isPaused = false
  /// Whether the agent has ended its stream.
  private var isEnded = false
  /// Whether the last turn read all that was there.
  private var isDry = false
  /// Why the connection is to be closed as soon as the spool has what came before.
  private var fault: String?
  /// Why the connection is one too many: it ends when what has arrived of it is read.
  private var refusal: String?
  /// Frames of this turn, by encoding; counted together.
  private var received = 0
  private var bincodes = 0
  private var jsons = 0

  private static let initialBuffer = 16 << 10

  init(_ file: consuming FileDescriptor, _ origin: SpanOrigin, _ receiver: AgentReceiver) {
    number = file.number
    self.file = file
    self.origin = origin
    peer = origin.peer
    provenance = SpanProvenance(guest: origin, receiver.limits)
    self.receiver = receiver
    buffer = [UInt8](repeating: 0, count: Self.initialBuffer)
    receiver.bufferedBytes += buffer.count
  }

  var bufferSize: Int { buffer.count }
  var isRefused: Bool { pendingCount > 0 }

  // MARK: Reading

  func ready(_ events: EventLoop.Events) {
    guard !isPaused else { return }
    if receiver.refused > 0, !receiver.isFinishing { return pause() }
    readTurn()
    settle()
  }

  /// Reads until nothing more is there or the turn is over.
  private func readTurn() {
    var read = 0
    isDry = false
    while read < AgentReceiver.turnBytes, !isPaused, !isEnded, fault == nil {
      guard makeRoom() else {
        fault = "out_of_memory"
        return
      }
      let wanted = min(buffer.count - filled, AgentReceiver.turnBytes - read)
      let got = buffer.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { Glibc.read(number, $0 + filled, wanted) } ?? 0
      }
      if got < 0 {
        if errno == EINTR { continue }
        isDry = errno == EAGAIN
        if !isDry { fault = "reset" }
        return
      }
      if got == 0 {
        isEnded = true
        return
      }
      filled += got
      read += got
      lastByte = MonotonicClock.milliseconds
      takeFrames()
    }
  }

  /// Ends the connection if it is to end, now that what came before is in the spool.
  private func settle() {
    if isPaused { return }
    if let fault { return close(fault) }
    if isEnded { return end() }
    if let refusal { return close(refusal) }
    // Only trying tells that all is read: AF_VSOCK does not say how much waits.
    if receiver.isDraining, isDry, consumed == filled { receiver.forget(self) }
  }

  /// Bytes that the kernel holds for it, where it says so.
  private var unread: Int32 {
    var count: Int32 = 0
    return ioctl(number, UInt(FIONREAD), &count) == 0 ? count : 0
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

  // MARK: Frames

  /// Takes the whole frames that are there, and gives their spans to the spool.
  private func takeFrames() {
    let limit = UInt64(receiver.limits.frameBytes)
    let before = consumed
    buffer.withUnsafeBytes { bytes in
      while filled - consumed >= AgentFrame.headerBytes, !isPaused {
        let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: consumed, as: UInt64.self))
        guard length <= limit, length > 0 else {
          fault = "frame_length"
          receiver.metrics.add(.rejected, "frame_length")
          log("a frame's length is 0 or over the limit", ["length": String(length), "limit": String(limit)])
          return
        }
        let end = consumed + AgentFrame.headerBytes + Int(length)
        guard end <= filled else { return }
        let start = consumed + AgentFrame.headerBytes
        consumed = end
        take(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      }
    }
    if consumed == filled {
      frameStart = nil
    } else if frameStart == nil || consumed > before {
      frameStart = MonotonicClock.milliseconds
    }
    count()
    offer()
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
    do throws(CodecError) {
      switch try AgentFrame.decode(payload, limits: receiver.limits.span, into: &receiver.span) {
      case .bincode: bincodes += 1
      case .json: jsons += 1
      }
      provenance.mark(&receiver.span)
      receiver.intake.encode(receiver.span, to: &receiver.records)
      taken += 1
      if receiver.records.count >= receiver.batchBytes { offer() }
    } catch {
      receiver.metrics.add(.rejected, "\(error.reason)")
      log("a span was left out", ["reason": error.reason.rawValue, "offset": String(error.offset)])
    }
  }

  // MARK: The spool

  /// Gives the turn's records to the spool. When it does not take them they stay here and reading stops.
  private func offer() {
    guard taken > 0 else { return }
    if append(receiver.records, taken) {
      receiver.records.removeAll()
    } else {
      swap(&pending, &receiver.records)
      receiver.records.removeAll()
      pendingCount = taken
      receiver.refused += 1
      pause()
    }
    taken = 0
  }

  /// Offers again what was not taken; false when it is not taken this time either.
  private func offerPending() -> Bool {
    guard pendingCount > 0 else { return true }
    guard append(pending, pendingCount) else { return false }
    pending = ByteWriter(capacity: 64)
    pendingCount = 0
    receiver.refused -= 1
    return true
  }

  private func append(_ records: borrowing ByteWriter, _ count: Int) -> Bool {
    do throws(SpoolRefusal) {
      try receiver.intake.append(records, count: count, evenWhenFull: receiver.isFinishing)
      return true
    } catch {
      receiver.lacksDescriptors = false
      switch error {
      case .full:
        receiver.log.limited(
          .warning, by: "spool", "the spool is full: reading from agents waits for the exporters")
      case .failed(let error):
        receiver.lacksDescriptors = error.code == EMFILE || error.code == ENFILE
        receiver.log.limited(
          .error, by: "spool", "the spool cannot be written: reading from agents waits",
          ["error": error.description])
      }
      return false
    }
  }

  private func pause() {
    guard !isPaused else { return }
    isPaused = true
    // Without this a peer that has hung up would be told of without end.
    receiver.loop.suspend(number)
  }

  /// Goes on after a pause, first with the frames that were read before it.
  private func resume(_ now: Int) {
    guard offerPending(), receiver.refused == 0, receiver.loop.resume(number, .read) else {
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

  /// Whether a whole frame waits, or what is none.
  private var holdsFrame: Bool {
    guard filled - consumed >= AgentFrame.headerBytes else { return false }
    let length = buffer.withUnsafeBytes {
      UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: consumed, as: UInt64.self))
    }
    return length > UInt64(receiver.limits.frameBytes) || filled - consumed - AgentFrame.headerBytes >= length
  }

  /// Ends a connection that its agent has ended without a whole frame, though nothing is taken just now. The spool cannot
  /// be written for want of a descriptor, and this is where one comes from.
  private func releaseIfEnded() {
    guard pendingCount == 0, fault == nil else { return }
    while !isEnded, !holdsFrame {
      guard makeRoom() else { return }
      let got = buffer.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { Glibc.read(number, $0 + filled, bytes.count - filled) } ?? 0
      }
      if got < 0 {
        if errno == EAGAIN { return }
        isEnded = errno != EINTR
        continue
      }
      isEnded = got == 0
      filled += got
    }
    if isEnded, !holdsFrame { end() }
  }

  // MARK: Ends

  /// Takes what has arrived of a connection that is one too many, and ends it: a frame that the agent has sent whole is
  /// not lost for having come over it. While the spool takes nothing this waits.
  func refuse(_ reason: String) {
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
    if offerPending(), fault == nil {
      takeFrames()
      readTurn()
    }
    let lost = pendingCount + (pendingCount > 0 ? countRest() : 0)
    receiver.metrics.add(.rejected, "spool", lost)
    receiver.intake.losses.add(.spoolUnwritable, lost, [("peer", origin.peer)])
    let left = unread
    if left > 0 { receiver.intake.losses.add(.stopTimeout, 1, [("peer", peer), ("bytes", String(left))]) }
    end()
  }

  /// How many whole frames follow that are lost as well: those that were read, and those that a turn still reads.
  private func countRest() -> Int {
    var count = takeWholeFrames()
    var read = 0
    while read < AgentReceiver.turnBytes, makeRoom() {
      let got = buffer.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { Glibc.read(number, $0 + filled, bytes.count - filled) } ?? 0
      }
      guard got > 0 else { break }
      filled += got
      read += got
      count += takeWholeFrames()
    }
    return count
  }

  /// Passes over the whole frames that were read; returns how many there were.
  private func takeWholeFrames() -> Int {
    var count = 0
    buffer.withUnsafeBytes { bytes in
      while filled - consumed >= AgentFrame.headerBytes {
        let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: consumed, as: UInt64.self))
        guard length > 0, length <= UInt64(filled - consumed - AgentFrame.headerBytes) else { return }
        consumed += AgentFrame.headerBytes + Int(length)
        count += 1
      }
    }
    return count
  }

  func tick(_ now: Int) {
    if isPaused { return resume(now) }
    if receiver.isDraining { return ready(.read) }
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
    log(reason == refusal ? "a connection was refused" : "the connection was closed", ["reason": reason])
    receiver.forget(self)
  }

  private func log(_ message: String, _ fields: KeyValuePairs<String, String>) {
    receiver.log.limited(
      .warning, by: peer, message,
      ["peer": peer, "detail": fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")])
  }
}
