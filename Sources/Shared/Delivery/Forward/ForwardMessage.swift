import Bytes
import Encodings

/// Messages of the Forward protocol (https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1); see
/// `formats/output/fluentd`.
enum ForwardMessage {
  /// Writes the part before the entries of a packed message. The entries are `[time, record]` arrays one after another,
  /// compressed or not, of the given total size in bytes.
  static func putHead(tag: String, size: Int, to out: inout ByteWriter) {
    out.put(arrayOf: 3)
    put(tag, &out)
    out.put(binaryOf: size)
  }

  /// Writes the part after the entries: the options.
  ///
  /// - Parameter chunk: the id that the receiver must acknowledge; nil for none.
  static func putTail(count: Int, chunk: String?, isCompressed: Bool, to out: inout ByteWriter) {
    out.put(mapOf: 1 + (chunk == nil ? 0 : 1) + (isCompressed ? 1 : 0))
    if let chunk {
      put("chunk", &out)
      put(chunk, &out)
    }
    put("size", &out)
    out.put(msgpack: UInt64(count))
    if isCompressed {
      put("compressed", &out)
      put("gzip", &out)
    }
  }

  static func put(_ text: String, _ out: inout ByteWriter) { put(Array(text.utf8), &out) }

  static func put(_ text: [UInt8], _ out: inout ByteWriter) {
    out.put(stringOf: text.count)
    out.put(text)
  }
}

/// The handshake of the Forward protocol: HELO from the receiver, PING from the sender, PONG from the receiver.
struct ForwardHandshake {
  /// The content of a HELO.
  struct Greeting: Equatable {
    var nonce: [UInt8]
    /// Empty if no user is required.
    var authentication: [UInt8]
    var keepsAlive: Bool

    /// Nil if the value is not a HELO. Fluentd writes the random bytes as binary, Fluent Bit as text.
    init?(_ value: MessagePackValue) {
      guard case .array(let parts) = value, parts.count == 2, parts[0].text == "HELO",
        let nonce = parts[1]["nonce"]?.bytes
      else { return nil }
      self.nonce = nonce
      authentication = parts[1]["auth"]?.bytes ?? []
      keepsAlive = parts[1]["keepalive"] != .bool(false)
    }
  }

  /// The content of a PONG.
  enum Answer: Equatable {
    case accepted
    /// The receiver's reason.
    case refused(String)
    /// The receiver does not know the key.
    case unproven
    /// The receiver has this side's name.
    case isLoop
  }

  /// The most bytes of a PING that Fluent Bit reads.
  static let largestPing = 1022

  let options: ForwardOptions
  let greeting: Greeting
  /// In hexadecimal digits, because Fluent Bit accepts no other bytes here.
  let salt: [UInt8]

  /// Whether the receiver asks for a user that is not given. Some ask, and take a PING without one all the same.
  var lacksUser: Bool { !greeting.authentication.isEmpty && options.user.isEmpty }
  private var provesUser: Bool { !greeting.authentication.isEmpty && !options.user.isEmpty }

  func ping() -> [UInt8] {
    var out = ByteWriter(capacity: 512)
    out.put(arrayOf: 6)
    ForwardMessage.put("PING", &out)
    ForwardMessage.put(options.hostName, &out)
    ForwardMessage.put(salt, &out)
    ForwardMessage.put(digest(of: options.hostName), &out)
    ForwardMessage.put(provesUser ? options.user : "", &out)
    let proof = Self.hex(
      SHA512.digest(greeting.authentication + Array(options.user.utf8) + options.password))
    ForwardMessage.put(provesUser ? proof : [], &out)
    return out.array
  }

  /// The digest that proves that the named side knows the key.
  private func digest(of name: String) -> [UInt8] {
    Self.hex(SHA512.digest(salt + Array(name.utf8) + greeting.nonce + (options.sharedKey ?? [])))
  }

  /// Nil if the value is not a PONG.
  func answer(_ value: MessagePackValue) -> Answer? {
    guard case .array(let parts) = value, parts.count == 5, parts[0].text == "PONG" else { return nil }
    guard parts[1] == .bool(true) else { return .refused(parts[2].text ?? "") }
    guard let name = parts[3].text, let proof = parts[4].bytes else { return .unproven }
    if name == options.hostName { return .isLoop }
    return Self.isSame(proof, digest(of: name)) ? .accepted : .unproven
  }

  /// Compares in a time that does not depend on where the two texts differ.
  private static func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  static func hex(_ bytes: [UInt8]) -> [UInt8] {
    bytes.flatMap { [HexDigit.character($0 >> 4), HexDigit.character($0)] }
  }
}
