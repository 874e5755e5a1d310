import Bytes
import Encodings
import Testing

@testable import Delivery

/// The bytes of the protocol; they were taken from real programs.
@Suite struct ForwardMessageTests {
  private func unhex(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private static let entry = "92d700691f40fc3b6a201d81a36d7367a178"

  @Test func packedMessage() {
    var out = ByteWriter(capacity: 64)
    let entry = unhex(Self.entry)
    ForwardMessage.putHead(tag: "kata", size: entry.count, to: &out)
    out.put(entry)
    ForwardMessage.putTail(count: 1, chunk: "A1", isCompressed: false, to: &out)
    #expect(
      out.array
        == unhex("93a46b617461c412\(Self.entry)82a56368756e6ba24131a473697a6501"))
  }

  @Test func messageWithoutChunk() throws {
    var out = ByteWriter(capacity: 64)
    ForwardMessage.putHead(tag: "kata", size: 0, to: &out)
    ForwardMessage.putTail(count: 1, chunk: nil, isCompressed: true, to: &out)
    let value = try out.array.withBytes { (bytes) throws(CodecError) in try MessagePackValue.decode(bytes) }
    guard case .array(let parts) = value else { return #expect(Bool(false)) }
    #expect(parts[2]["chunk"] == nil)
    #expect(parts[2]["compressed"]?.text == "gzip")
    #expect(parts[2]["size"] == .int(1))
  }

  private func handshake(user: String = "kata", auth: [UInt8] = Array(0x20...0x2f)) throws
    -> ForwardHandshake
  {
    var options = ForwardOptions()
    options.sharedKey = Array("s3cret".utf8)
    options.user = user
    options.password = Array("pw".utf8)
    options.hostName = "client"
    let greeting = try #require(
      ForwardHandshake.Greeting(
        .array([
          .string(Array("HELO".utf8)),
          .map([
            .init(.string(Array("nonce".utf8)), .binary(Array(0x10...0x1f))),
            .init(.string(Array("auth".utf8)), .binary(auth)),
          ]),
        ])))
    return ForwardHandshake(options: options, greeting: greeting, salt: Array(0x00...0x0f))
  }

  private static let digests = (
    client:
      "7afbfa80ba594bb97da2a6c32f3e5b94478012b068131034e80b54db96eb71cb848c9bed0a73030029b4f1f906dde30e40cb9f4b4bd0a12cb136a1a6ff4dfeb1",
    server:
      "08f3d74ab20f163153e1264a7204e6440df8770be8fb9b52fcd7717a8e87dc65c0f46e00b5f1497565184f19cc0a99b20bdbb31a8496470e5f494aa982bbe5af",
    user:
      "653fb7a9b5c617309c00db3b2f947943fec06a5d5546211dc2e4ad272dfdc7a879a6a47c4a72ce899f5b46feba6684de0955581b3edc0b9a9a87e643bd2e10ac"
  )

  private func parts(_ bytes: [UInt8]) throws -> [MessagePackValue] {
    let value = try bytes.withBytes { (bytes) throws(CodecError) in try MessagePackValue.decode(bytes) }
    guard case .array(let parts) = value else { return [] }
    return parts
  }

  @Test func pingProvesKeyAndUser() throws {
    let ping = try parts(try handshake().ping())
    #expect(
      ping == [
        .string(Array("PING".utf8)), .string(Array("client".utf8)), .string(Array(0x00...0x0f)),
        .string(Array(Self.digests.client.utf8)), .string(Array("kata".utf8)),
        .string(Array(Self.digests.user.utf8)),
      ])
  }

  @Test func pingNamesNoUserWhereNoneIsAskedFor() throws {
    let ping = try parts(try handshake(auth: []).ping())
    #expect(ping.count == 6)
    #expect(ping[4...] == [.string([]), .string([])])
  }

  private func pong(_ isOK: Bool, _ reason: String, _ name: String, _ digest: String) -> MessagePackValue {
    .array([
      .string(Array("PONG".utf8)), .bool(isOK), .string(Array(reason.utf8)), .string(Array(name.utf8)),
      .string(Array(digest.utf8)),
    ])
  }

  @Test func pongMustProveTheKey() throws {
    let handshake = try handshake()
    #expect(handshake.answer(pong(true, "", "server", Self.digests.server)) == .accepted)
    #expect(handshake.answer(pong(true, "", "server", Self.digests.client)) == .unproven)
    #expect(handshake.answer(pong(true, "", "other", Self.digests.server)) == .unproven)
    #expect(handshake.answer(pong(true, "", "client", Self.digests.client)) == .isLoop)
    #expect(handshake.answer(pong(false, "shared_key mismatch", "", "")) == .refused("shared_key mismatch"))
    #expect(handshake.answer(.array([.string(Array("PONG".utf8)), .bool(true)])) == nil)
    #expect(handshake.answer(.null) == nil)
  }

  /// As Fluent Bit writes it: any bytes as text, no keepalive.
  @Test func helloIsTakenAsTextWithAnyBytes() throws {
    let bytes = unhex("92a448454c4f82a56e6f6e6365a4ff00fe80a461757468a0")
    let value = try bytes.withBytes { (bytes) throws(CodecError) in try MessagePackValue.decode(bytes) }
    let greeting = try #require(ForwardHandshake.Greeting(value))
    #expect(greeting.nonce == [0xff, 0, 0xfe, 0x80])
    #expect(greeting.authentication.isEmpty)
    #expect(greeting.keepsAlive)
    #expect(ForwardHandshake.Greeting(.array([.string(Array("HELO".utf8)), .map([])])) == nil)
  }

  static let endpoints: [(String, String?)] = [
    ("tcp://127.0.0.1:24224", "tcp://127.0.0.1:24224"), ("tcp://fluentd", "tcp://fluentd:24224"),
    ("tcp://[::1]:1", "tcp://[::1]:1"), ("tcp://[::1]", "tcp://[::1]:24224"), ("tcp://a:1/", "tcp://a:1"),
    ("unix:///run/fluent.sock", "unix:///run/fluent.sock"),
    ("tcp://", nil), ("tcp://:1", nil), ("tcp://a:0", nil), ("tcp://a:99999", nil), ("tcp://u@a:1", nil),
    ("tcp://a:1/path", nil), ("unix://fluent.sock", nil), ("unix://", nil), ("fluentd:24224", nil),
    ("tls://a:1", nil), ("http://a", nil), ("", nil),
    ("unix:///\(String(repeating: "x", count: 108))", nil),
  ]

  @Test(arguments: endpoints)
  func endpointsAreReadOrRefused(text: String, name: String?) {
    #expect((try? ForwardEndpoint(text))?.name == name)
  }
}
