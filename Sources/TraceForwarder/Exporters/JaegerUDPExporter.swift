import Bytes
import CLinux
import Glibc
import System

/// Jaeger's agent over UDP: one `emitBatch` per datagram. Nothing confirms that a datagram arrived; only an agent on
/// this machine that is down is detected, by the system.
final class JaegerUDPExporter: SpanExporter {
  static let datagramBytes = 65_000
  private let context: ExporterContext
  private let address: SocketAddress
  private var batches: JaegerBatches
  private var message = ByteWriter(capacity: 64 << 10)
  /// The batch that is on its way, which of its payloads were set aside, and up to which one they were counted.
  private var current: SpoolPosition?
  private var settled: Set<Int> = []
  private var counted = 0
  private var leftOut = 0
  /// Negative until it is connected.
  private var socket = FileDescriptor(borrowing: -1)
  /// Whether the last datagrams were not refused.
  private var isThere = false
  /// What was sent since the last pause, as the receiver's system counts it.
  private var burst = 0

  /// A receiver keeps some 200 KiB that it has not read, each datagram with some hundred bytes more, and the rest is
  /// lost: so after a part of that comes a pause, in milliseconds.
  private static let burstBytes = 48 << 10
  private static let datagramOverhead = 1 << 10
  private static let burstPause: useconds_t = 1

  init(_ context: ExporterContext, _ address: SocketAddress) {
    self.context = context
    self.address = address
    batches = JaegerBatches(context, .compact, limit: Self.datagramBytes)
  }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    if current != batch.start {
      current = batch.start
      (settled, counted) = ([], 0)
    }
    try connect()
    var next = 0
    while next < batch.payloads.count {
      let request = batches.encode(next..<batch.payloads.count, of: batch, to: &message)
      if next >= counted { context.countUnreadable(request.unreadable) }
      next = request.end
      counted = max(counted, next)
      guard request.spans > 0 else { continue }
      if message.count > Self.datagramBytes {
        try setAside(request.lastSpan, of: batch)
      } else {
        try send()
      }
    }
    try confirm()
    current = nil
  }

  func takeLeftOut() -> Int {
    defer { leftOut = 0 }
    return leftOut
  }

  private func send() throws(ExportFailure) {
    // A refusal is of an earlier datagram, which may be of this batch: all of it is sent again.
    do throws(SystemCallError) {
      try DatagramSocket.send(socket, message.bytes, subject: "udp:\(address)")
    } catch {
      isThere = false
      throw failure(error)
    }
    burst += message.count + Self.datagramOverhead
    guard burst >= Self.burstBytes else { return }
    burst = 0
    usleep(Self.burstPause * 1000)
  }

  /// A span that no datagram can carry. Its batch may be sent again, but it is set aside once.
  private func setAside(_ index: Int, of batch: SpoolBatch) throws(ExportFailure) {
    guard !settled.contains(index) else { return }
    let reason = "the span is too large for a datagram: \(message.count) bytes, at most \(Self.datagramBytes)"
    try context.setAside(batch.alone(index), status: 0, reason: reason)
    settled.insert(index)
    leftOut += 1
  }

  private func failure(_ error: SystemCallError) -> ExportFailure {
    ExportFailure(
      error.description,
      remedy: "check that a Jaeger agent is running there, and --jaeger-host and --jaeger-port")
  }

  /// A refusal comes back from this machine at once, or when that is busy a little later: it is waited for until the agent
  /// is known to be there.
  private func confirm() throws(ExportFailure) {
    var entry = pollfd(fd: socket.number, events: 0, revents: 0)
    _ = poll(&entry, 1, isThere ? 1 : 200)
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    isThere = getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 && code == 0
    if !isThere { throw failure(SystemCallError("send", "udp:\(address)", code: code)) }
  }

  private func connect() throws(ExportFailure) {
    guard socket.number < 0 else { return }
    do throws(SystemCallError) {
      socket = try DatagramSocket.connected(to: address, sendBuffer: 1 << 20)
    } catch {
      throw failure(error)
    }
  }
}
