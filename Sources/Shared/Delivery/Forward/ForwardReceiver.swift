import Bytes
import Encodings
import Glibc
import System

/// A Fluentd or Fluent Bit that receives records over the Forward protocol.
package final class ForwardReceiver: Receiver {
  /// Limits of a receiver's answers, which are small.
  private static let limits = MessagePackLimits(depth: 8, size: 64 << 10, values: 64)
  /// Milliseconds to wait for each message of the handshake.
  private static let handshakeTimeout = 10_000

  package let name: String
  private let endpoint: ForwardEndpoint
  private let options: ForwardOptions
  private let stop: StopDeadline
  private let gzip: GzipEncoder?
  private var connection: StreamConnection?
  private var reader = MessagePackReader(ForwardReceiver.limits)
  private var input = [UInt8](repeating: 0, count: 16 << 10)
  private var message = ByteWriter(capacity: 4 << 10)
  /// Acknowledgements that were read but not yet returned.
  private var acknowledged: [Acknowledgement] = []
  /// Why nothing can be sent any more, if that was noticed but not yet thrown.
  private var broken: DeliveryFailure?
  /// Chunks sent on this connection that are not acknowledged.
  private var inFlight = 0
  private var keepsAlive = true

  /// Throws if bodies are to be compressed and the system has no zlib.
  package init(_ endpoint: ForwardEndpoint, _ options: ForwardOptions, _ stop: StopDeadline)
    throws(DeliveryFailure)
  {
    name = endpoint.name
    self.endpoint = endpoint
    self.options = options
    self.stop = stop
    gzip = options.compresses ? GzipEncoder() : nil
    if options.compresses, gzip == nil {
      throw DeliveryFailure(
        .hopeless, "libz.so.1 cannot be loaded", remedy: "install zlib, or leave out --gzip")
    }
  }

  package var depth: Int { keepsAlive ? 8 : 1 }

  package func disconnect() {
    connection = nil
    reader = MessagePackReader(Self.limits)
    acknowledged = []
    broken = nil
    inFlight = 0
  }

  // MARK: Connecting

  package func connect(until deadline: Int) throws(DeliveryFailure) {
    disconnect()
    keepsAlive = true
    do throws(SystemCallError) {
      switch endpoint {
      case .tcp(let address): connection = try .tcp(address, until: deadline, stop)
      case .unix(let path): connection = try .unix(path, stop)
      }
    } catch {
      throw DeliveryFailure(.unavailable, error.description, remedy: remedy(error.code))
    }
    if options.sharedKey != nil { try shakeHands(until: deadline) }
  }

  private func remedy(_ code: Int32) -> String {
    switch code {
    case ENOENT where !endpoint.isUnix: "check the host name, and this machine's name resolution"
    case EACCES, EPERM: "run as a user who may write to the socket"
    default: "check that Fluentd or Fluent Bit is running and listens there"
    }
  }

  private func shakeHands(until deadline: Int) throws(DeliveryFailure) {
    guard let hello = try answer(until: deadline) else {
      throw misconfigured(
        "\(name) sent no HELO within 10 s: it uses no shared key", "leave out --shared-key-file")
    }
    guard let greeting = ForwardHandshake.Greeting(hello) else {
      throw misconfigured("\(name) sent something other than a HELO", Self.wrongPort)
    }
    keepsAlive = greeting.keepsAlive
    var generator = SystemRandomNumberGenerator()
    let salt = ForwardHandshake.hex((0..<2).flatMap { _ in generator.next().littleBytes })
    let handshake = ForwardHandshake(options: options, greeting: greeting, salt: salt)
    let ping = handshake.ping()
    guard ping.count <= ForwardHandshake.largestPing else {
      throw misconfigured("the names in the handshake are too long", "give a shorter --user")
    }
    let code = ping.withBytes { connection?.send($0, until: deadline) ?? ENOTCONN }
    guard code == 0 else { throw unanswered("\(name) closed the connection during the handshake") }
    let answer = try answer(until: deadline).flatMap(handshake.answer)
    switch answer {
    case .accepted: return
    case .refused(let reason): throw refused(reason, lacksUser: handshake.lacksUser)
    case .unproven:
      throw misconfigured(
        "\(name) cannot prove that it knows the shared key", "check that this is the intended receiver")
    case .isLoop:
      throw misconfigured(
        "\(name) has this machine's name, \(options.hostName)",
        "set the receiver's self_hostname to another name")
    case nil: throw misconfigured("\(name) sent no valid PONG", "read the receiver's log")
    }
  }

  /// Words of the receiver, which are not to be obeyed by a terminal.
  private func refused(_ reason: String, lacksUser: Bool) -> DeliveryFailure {
    let isOfUser = reason.contains("user") || reason.contains("password")
    let remedy =
      switch (isOfUser, lacksUser) {
      case (true, true): "give --user and --password-file"
      case (true, false): "check --user and --password-file"
      case (false, _): "check --shared-key-file"
      }
    return DeliveryFailure(
      .misconfigured,
      isOfUser && lacksUser
        ? "\(name) requires a user and a password" : "\(name) refuses the handshake",
      remedy: remedy, answer: String(reason.prefix(200)))
  }

  /// The receiver's next message; nil if none arrived in time.
  private func answer(until deadline: Int) throws(DeliveryFailure) -> MessagePackValue? {
    let deadline = min(deadline, MonotonicClock.milliseconds + Self.handshakeTimeout)
    while true {
      if let value = try next() { return value }
      switch receive(until: deadline, nil) {
      case .bytes: continue
      case .nothing: return nil
      case .end, .failed:
        throw misconfigured(
          "\(name) closed the connection in the handshake",
          "check --shared-key-file, --user and --password-file: Fluent Bit says nothing when one is wrong")
      }
    }
  }

  // MARK: Sending

  package func send(_ chunk: Chunk, until deadline: Int) throws(DeliveryFailure) {
    // Acknowledgements that were read before the connection failed come first.
    if broken != nil, !acknowledged.isEmpty { return }
    if let broken { throw broken }
    try reconnectIfClosed(until: deadline)
    let code: Int32
    if let gzip {
      guard let body = chunk.withPayload({ gzip.encode($0) }) else {
        throw DeliveryFailure(.unavailable, "there is not enough memory to compress a chunk")
      }
      code = body.withBytes { write($0, of: chunk, until: deadline) }
    } else {
      code = chunk.withPayload { write($0, of: chunk, until: deadline) }
    }
    inFlight += 1
    if code == 0 {
      if !options.wantsAcknowledgements { acknowledged.append(Acknowledgement(chunk.id)) }
      return
    }
    // The receiver may have given a reason, or acknowledged others, before it closed.
    try drain()
    let failure = unanswered(
      code == ETIMEDOUT ? "\(name) accepts no more bytes" : "\(name) closed the connection")
    if acknowledged.isEmpty { throw failure }
    broken = failure
  }

  /// Writes the message around a body. Returns 0, or the `errno` of the failure.
  private func write(_ body: UnsafeRawBufferPointer, of chunk: Chunk, until deadline: Int) -> Int32 {
    message.removeAll()
    ForwardMessage.putHead(tag: options.tag, size: body.count, to: &message)
    let code = connection?.send(message.bytes, until: deadline, isFollowed: true) ?? ENOTCONN
    if code != 0 { return code }
    if let code = connection?.send(body, until: deadline, isFollowed: true), code != 0 { return code }
    message.removeAll()
    ForwardMessage.putTail(
      count: chunk.count, chunk: options.wantsAcknowledgements ? chunk.id : nil, isCompressed: gzip != nil,
      to: &message)
    return connection?.send(message.bytes, until: deadline) ?? ENOTCONN
  }

  /// A connection that the receiver closed while nothing was in flight is not a failure.
  private func reconnectIfClosed(until deadline: Int) throws(DeliveryFailure) {
    guard inFlight == 0, acknowledged.isEmpty, connection?.hasInput ?? true else { return }
    while true {
      switch receive(until: 0, nil) {
      case .bytes: while let value = try next() { try take(value) }
      case .nothing: return
      case .end, .failed: return try connect(until: deadline)
      }
    }
  }

  /// Reads what is available.
  private func drain() throws(DeliveryFailure) {
    while case .bytes = receive(until: 0, nil) {
      while let value = try next() { try take(value) }
    }
  }

  // MARK: Acknowledgements

  package func acknowledgements(until deadline: Int, orRaised wakeup: Wakeup?) throws(DeliveryFailure)
    -> [Acknowledgement]
  {
    while acknowledged.isEmpty {
      if let broken { throw broken }
      switch receive(until: deadline, wakeup) {
      case .bytes: break
      case .nothing: return []
      case .end, .failed: broken = unanswered("\(name) closed the connection")
      }
      do throws(DeliveryFailure) {
        while let value = try next() { try take(value) }
      } catch {
        if acknowledged.isEmpty { throw error }
        broken = error
      }
    }
    defer { acknowledged = [] }
    return acknowledged
  }

  package func silence(of milliseconds: Int, hasAcknowledged: Bool) -> DeliveryFailure {
    if endpoint.isUnix, !hasAcknowledged {
      return DeliveryFailure(
        .hopeless, "\(name) has acknowledged nothing within \(milliseconds / 1000) s",
        remedy:
          "Fluentd's in_unix never acknowledges: send to its in_forward, or to a Unix socket of Fluent Bit; or give --no-ack, which delivers each record at most once"
      )
    }
    return DeliveryFailure(
      .unanswered, "\(name) acknowledged nothing within \(milliseconds / 1000) s",
      remedy: "read the receiver's log, or raise --ack-timeout")
  }

  private func take(_ value: MessagePackValue) throws(DeliveryFailure) {
    if value == .null { return }
    if ForwardHandshake.Greeting(value) != nil {
      throw misconfigured("\(name) requires a shared key", "give --shared-key-file")
    }
    guard let id = value["ack"]?.text else {
      throw unanswered("\(name) sent something other than an acknowledgement", Self.wrongPort)
    }
    inFlight = max(0, inFlight - 1)
    acknowledged.append(Acknowledgement(id))
  }

  private func next() throws(DeliveryFailure) -> MessagePackValue? {
    do throws(CodecError) { return try reader.next() } catch {
      throw unanswered("\(name) sent something that is not MessagePack", Self.wrongPort)
    }
  }

  private func receive(until deadline: Int, _ wakeup: Wakeup?) -> StreamConnection.Received {
    let received = connection?.receive(into: &input, until: deadline, orRaised: wakeup) ?? .end
    if case .bytes(let count) = received { input.withPart(0..<count) { reader.append($0) } }
    return received
  }

  private static let wrongPort = "check that a Forward input listens there, not another service"

  private func misconfigured(_ reason: String, _ remedy: String) -> DeliveryFailure {
    DeliveryFailure(.misconfigured, reason, remedy: remedy)
  }

  private func unanswered(_ reason: String, _ remedy: String? = nil) -> DeliveryFailure {
    DeliveryFailure(
      .unanswered, reason,
      remedy: remedy
        ?? "read the receiver's log; if its chunk limit is smaller (Fluent Bit: buffer_max_size), lower --chunk-size"
    )
  }
}
