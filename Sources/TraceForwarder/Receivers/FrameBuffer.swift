import Bytes
import Tracing

/// An agent's stream: bytes in, whole frames out.
///
/// It grows with what arrives, never with what a guest announces, and never above the largest allowed frame plus one
/// read. It knows neither sockets nor spans.
struct FrameBuffer: ~Copyable {
  /// What the stream begins with.
  enum Head: Equatable {
    /// A complete frame with this many bytes of payload.
    case frame(Int)
    /// The beginning of a frame, or nothing.
    case incomplete
    /// An invalid length. The start of the next frame is then unknown.
    case badLength(UInt64)
  }

  private var bytes = ReceiveBuffer(capacity: Self.initialCapacity)
  /// Bytes of one frame's payload.
  private let limit: Int

  static let initialCapacity = 16 << 10
  /// If less room than this is left, the buffer grows before it is filled.
  private static let leastRoom = 4 << 10
  /// What the largest buffer holds beside the largest frame: the beginning of the next ones.
  private static let readAhead = 64 << 10

  /// - Parameter limit: bytes of the largest payload.
  init(limit: Int) { self.limit = max(1, limit) }

  /// Bytes of memory that the buffer has.
  var capacity: Int { bytes.capacity }
  /// Bytes that wait, of frames whole or not.
  var count: Int { bytes.count }
  var isEmpty: Bool { bytes.isEmpty }

  // MARK: Bytes in

  /// Makes room for more bytes after those that wait; false when there can be none.
  /// - Parameter allowance: how many bytes larger the buffer may become.
  mutating func makeRoom(allowance: Int) -> Bool {
    bytes.compact()
    if bytes.isEmpty, bytes.capacity > Self.initialCapacity * 16 { bytes.resize(to: Self.initialCapacity) }
    guard bytes.room < Self.leastRoom else { return true }
    let size = min(bytes.capacity * 2, limit + AgentFrame.headerBytes + Self.readAhead)
    guard size > bytes.capacity, size - bytes.capacity <= allowance else { return bytes.room > 0 }
    bytes.resize(to: size)
    return true
  }

  /// Calls `read` to store at most `limit` bytes after the unread ones; it returns how many it stored.
  mutating func fill(_ limit: Int, _ read: (UnsafeMutableRawBufferPointer) -> Int) { bytes.fill(limit, read) }

  // MARK: Frames out

  /// What the stream begins with now.
  var head: Head {
    guard let length = bytes.bigUInt64 else { return .incomplete }
    guard length > 0, length <= UInt64(limit) else { return .badLength(length) }
    return bytes.count - AgentFrame.headerBytes >= Int(length) ? .frame(Int(length)) : .incomplete
  }

  /// The payload of the frame that ``head`` has found.
  func withPayload(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withBytes(from: AgentFrame.headerBytes, count: count, body)
  }

  /// Lets go of the frame that ``head`` has found.
  mutating func dropFrame(_ count: Int) { bytes.drop(AgentFrame.headerBytes + count) }

  /// Lets go of the whole frames at the front; returns how many there were.
  mutating func dropFrames() -> Int {
    var dropped = 0
    while case .frame(let count) = head {
      dropFrame(count)
      dropped += 1
    }
    return dropped
  }
}
