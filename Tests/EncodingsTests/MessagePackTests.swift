import Bytes
import Encodings
import Foundation
import TestSupport
import Testing

@Suite(.ownThreads) struct MessagePackTests {
  private func written(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var out = ByteWriter(capacity: 64)
    body(&out)
    return out.array
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  private func read(_ bytes: [UInt8], _ limits: MessagePackLimits = MessagePackLimits()) throws(CodecError)
    -> MessagePackValue
  {
    try bytes.withBytes { (bytes) throws(CodecError) in try MessagePackValue.decode(bytes, limits) }
  }

  static let integers: [(Int64, String)] = [
    (0, "00"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"), (65535, "cdffff"),
    (65536, "ce00010000"), (4_294_967_295, "ceffffffff"), (4_294_967_296, "cf0000000100000000"),
    (.max, "cf7fffffffffffffff"), (-1, "ff"), (-32, "e0"), (-33, "d0df"), (-128, "d080"), (-129, "d1ff7f"),
    (-32768, "d18000"), (-32769, "d2ffff7fff"), (-2_147_483_648, "d280000000"),
    (-2_147_483_649, "d3ffffffff7fffffff"), (.min, "d38000000000000000"),
  ]

  @Test(arguments: integers)
  func integersTakeTheirShortestForm(value: Int64, bytes: String) throws {
    let encoded = written { $0.put(msgpack: value) }
    #expect(hex(encoded) == bytes)
    #expect(try read(encoded) == .int(value))
  }

  @Test(arguments: [
    (0, "a0"), (31, "bf"), (32, "d920"), (255, "d9ff"), (256, "da0100"), (65535, "daffff"),
    (65536, "db00010000"),
  ])
  func textHeads(count: Int, head: String) throws {
    let text = [UInt8](repeating: UInt8(ascii: "x"), count: count)
    let encoded = written {
      $0.put(stringOf: count)
      $0.put(text)
    }
    #expect(hex(encoded).hasPrefix(head))
    #expect(try read(encoded, MessagePackLimits(size: 1 << 20)) == .string(text))
  }

  @Test func otherHeads() {
    #expect(hex(written { $0.put(binaryOf: 255) }) == "c4ff")
    #expect(hex(written { $0.put(binaryOf: 256) }) == "c50100")
    #expect(hex(written { $0.put(binaryOf: 65536) }) == "c600010000")
    #expect(hex(written { $0.put(arrayOf: 15) }) == "9f")
    #expect(hex(written { $0.put(arrayOf: 16) }) == "dc0010")
    #expect(hex(written { $0.put(arrayOf: 65536) }) == "dd00010000")
    #expect(hex(written { $0.put(mapOf: 15) }) == "8f")
    #expect(hex(written { $0.put(mapOf: 16) }) == "de0010")
    #expect(hex(written { $0.put(mapOf: 65536) }) == "df00010000")
    #expect(hex(written { $0.put(msgpack: true) }) == "c3")
    #expect(hex(written { $0.putNil() }) == "c0")
    #expect(hex(written { $0.put(msgpack: 1.5) }) == "cb3ff8000000000000")
    #expect(
      hex(written { $0.put(eventTime: 1_763_655_932, nanoseconds: 996_810_781) }) == "d700691f40fc3b6a201d")
  }

  @Test func allFormsAreRead() throws {
    #expect(try read([0xca, 0x3f, 0xc0, 0, 0]) == .double(1.5))
    #expect(try read([0xcf] + [UInt8](repeating: 0xff, count: 8)) == .uint(.max))
    #expect(try read([0xc7, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]) == .extended(0, [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(try read([0xd4, 0xff, 9]) == .extended(-1, [9]))
    let value = try read([0x82, 0xa1, 0x61, 0x91, 0xc0, 0xa1, 0x61, 0xc4, 2, 0xff, 0])
    #expect(value["a"] == .binary([0xff, 0]))
    #expect(value["b"] == nil)
  }

  @Test(arguments: [
    // A length beyond the limit, in a text, an array, a map and an extension.
    "dbffffffff", "ddffffffff", "dfffffffff", "c9ffffffff00",
    // The code that is none.
    "c1",
  ])
  func whatIsTooMuchIsRefusedBeforeItHasCome(bytes: String) {
    var reader = MessagePackReader()
    unhex(bytes).withUnsafeBytes { reader.append($0) }
    #expect(throws: CodecError.self) { try reader.next() }
  }

  @Test func depthIsLimited() {
    #expect(throws: CodecError.self) { try read([UInt8](repeating: 0x91, count: 65) + [0xc0]) }
    #expect(throws: Never.self) { try read([UInt8](repeating: 0x91, count: 64) + [0xc0]) }
  }

  @Test func streamThatNeverEndsItsValueIsRefused() {
    var reader = MessagePackReader(MessagePackLimits(size: 100))
    [UInt8]([0xdc, 0x01, 0x00]).withUnsafeBytes { reader.append($0) }
    #expect(throws: Never.self) { _ = try reader.next() }
    [UInt8](repeating: 0, count: 100).withUnsafeBytes { reader.append($0) }
    #expect(throws: CodecError.self) { try reader.next() }
  }

  @Test func valuesAreReadHoweverTheStreamIsCut() throws {
    let stream = unhex("81a361636ba24131" + "c0" + "92d700691f40fc3b6a201d81a36d7367a178")
    for size in 1...stream.count {
      var reader = MessagePackReader()
      var values: [MessagePackValue] = []
      var start = 0
      while start < stream.count {
        stream[start..<min(stream.count, start + size)].withUnsafeBytes { reader.append($0) }
        start += size
        while let value = try reader.next() { values.append(value) }
      }
      #expect(values.count == 3)
      #expect(values[0]["ack"] == .string(Array("A1".utf8)))
      #expect(values[1] == .null)
      #expect(reader.pendingBytes == 0)
    }
  }

  @Test func mutatedValuesNeverTrap() {
    let mutator = Mutator(
      seeds: [
        unhex("94a46b617461d700691f40fc3b6a201d81a36d7367a17881a56368756e6ba24131"),
        unhex("81a361636ba24131"), unhex("9283a56e6f6e6365c40401020304a461757468c400a96b656570616c697665c3"),
      ],
      tokens: [[0xdf, 0xff, 0xff, 0xff, 0xff], [0xdd, 0, 0, 0xff, 0xff], [0xc6, 0x7f], [0xd7, 0]])
    Fuzzing.run("MessagePack", seconds: 1) { generator in
      var reader = MessagePackReader(MessagePackLimits(depth: 8, size: 1024, values: 64))
      mutator.next(&generator).withUnsafeBytes { reader.append($0) }
      while let value = try? reader.next() { _ = value.text }
    }
  }

  /// PyPI's msgpack is the reference: what it writes is read, and written again as the same bytes.
  @Test func agreesWithMsgpackOfPython() throws {
    let script = """
      import sys
      try:
        import msgpack
      except ImportError:
        sys.exit(77)
      values = [0, -1, 127, -33, 2**63-1, -2**63, 2**64-1, 1.5, True, None, "x"*31, "x"*32, "x"*70000, b"\\x00"*300,
                list(range(40)), {str(i): i for i in range(20)}, msgpack.ExtType(0, b"12345678")]
      sys.stdout.write("\\n".join(msgpack.packb(v).hex() for v in values))
      """
    let isInstalled = FileManager.default.isExecutableFile(atPath: Repository.path(".build/venv/bin/python"))
    let result = try Program.python(["-c", script], environment: isInstalled ? "venv" : nil)
    if result.status == 77, ProcessInfo.processInfo.environment["KATA_TEST_ALL"] == nil {
      try Test.cancel("msgpack is not installed: make test-dependencies installs it")
    }
    let lines = result.text.split(separator: "\n")
    #expect(lines.count == 17)
    for line in lines {
      let bytes = unhex(String(line))
      let value = try read(bytes, MessagePackLimits(size: 1 << 20))
      #expect(written { Self.write(value, to: &$0) } == bytes)
    }
  }

  private static func write(_ value: MessagePackValue, to out: inout ByteWriter) {
    switch value {
    case .null: out.putNil()
    case .bool(let value): out.put(msgpack: value)
    case .int(let value): out.put(msgpack: value)
    case .uint(let value): out.put(msgpack: value)
    case .double(let value): out.put(msgpack: value)
    case .string(let bytes):
      out.put(stringOf: bytes.count)
      out.put(bytes)
    case .binary(let bytes):
      out.put(binaryOf: bytes.count)
      out.put(bytes)
    case .array(let items):
      out.put(arrayOf: items.count)
      for item in items { write(item, to: &out) }
    case .map(let pairs):
      out.put(mapOf: pairs.count)
      for pair in pairs {
        write(pair.key, to: &out)
        write(pair.value, to: &out)
      }
    case .extended(_, let bytes):
      let half = bytes.map { UInt32($0) }
      guard half.count == 8 else { return }
      out.put(
        eventTime: half[0..<4].reduce(0) { $0 << 8 | $1 }, nanoseconds: half[4..<8].reduce(0) { $0 << 8 | $1 }
      )
    }
  }

  private func unhex(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
