import TestSupport
import Testing

@testable import Bytes

/// The two writers and the reader, against arrays.
struct WriterFuzzTests {
  @Test func writerHoldsWhatAnArrayWouldHold() {
    Fuzzing.run("byte writer") { generator in
      var writer = ByteWriter(capacity: generator.below(80))
      var expected: [UInt8] = []
      for _ in 0..<generator.below(40) {
        let number = generator.next() >> UInt64(generator.below(64))
        switch generator.below(12) {
        case 0:
          writer.put(UInt8(truncatingIfNeeded: number))
          expected.append(UInt8(truncatingIfNeeded: number))
        case 1:
          let bytes = Naive.bytes(&generator)
          writer.put(bytes)
          expected += bytes
        case 2:
          writer.put("constant" as StaticString)
          expected += "constant".utf8
        case 3:
          let text = Naive.text(&generator)
          writer.put(string: text)
          expected += text.utf8
        case 4:
          writer.little(UInt32(truncatingIfNeeded: number))
          writer.big(number)
          expected += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
          expected += (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
        case 5:
          writer.varint(number)
          expected += Self.varint(number)
        case 6:
          let start = generator.below(expected.count + 1)
          writer.insertLength(at: start)
          expected.insert(contentsOf: Self.varint(UInt64(expected.count - start)), at: start)
        case 7:
          writer.put(hex: number)
          let digits = String(number, radix: 16)
          expected += (String(repeating: "0", count: 16 - digits.count) + digits).utf8
        case 8:
          let text = Naive.text(&generator)
          writer.put(json: text)
          expected += Self.json(text).utf8
        case 9:
          let count = generator.below(expected.count + 2)
          writer.truncate(to: count)
          expected = Array(expected.prefix(count))
        case 10:
          let count = generator.below(10)
          writer.removeFirst(count)
          expected = Array(expected.dropFirst(count))
        default:
          let place = generator.below(expected.count + 2)
          writer.overwrite(at: place, big: UInt32(truncatingIfNeeded: number))
          guard place + 4 <= expected.count else { break }
          for index in 0..<4 {
            expected[place + index] = UInt8(truncatingIfNeeded: number >> (24 - 8 * index))
          }
        }
        let (count, isEmpty) = (writer.count, writer.isEmpty)
        #expect(count == expected.count && isEmpty == expected.isEmpty)
      }
      let array = writer.array
      #expect(array == expected)
      writer.removeAll()
      let isEmpty = writer.isEmpty
      #expect(isEmpty)
    }
  }

  private static func varint(_ number: UInt64) -> [UInt8] {
    var rest = number
    var bytes: [UInt8] = []
    while rest > 127 {
      bytes.append(UInt8(rest % 128) + 128)
      rest /= 128
    }
    return bytes + [UInt8(rest)]
  }

  private static func json(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": json += "\\\""
      case "\\": json += "\\\\"
      case "\n": json += "\\n"
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }

  @Test func everyControlIsEscapedInJSON() {
    for byte in UInt8.min..<0x20 {
      var writer = ByteWriter(capacity: 1)
      writer.put(json: [byte].withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
      let digits = String(byte, radix: 16)
      let long = "\"\\u00\(byte < 16 ? "0" : "")\(digits)\""
      let short: [UInt8: String] = [8: "\"\\b\"", 9: "\"\\t\"", 10: "\"\\n\"", 12: "\"\\f\"", 13: "\"\\r\""]
      let written = writer.string
      #expect(written == short[byte] ?? long)
    }
  }

  @Test(arguments: [
    (0.0, "0.0"), (-1.5, "-1.5"), (1e15, "1000000000000000.0"), (1e16, "1e16"), (0.001, "0.001"),
    (1.5e-7, "1.5e-7"),
    (.leastNonzeroMagnitude, "5e-324"), (.greatestFiniteMagnitude, "1.7976931348623157e308"),
  ])
  func numbersAreWrittenInTheFewestDigits(_ value: Double, _ expected: String) {
    var writer = ByteWriter()
    writer.put(json: value)
    let written = writer.string
    #expect(written == expected)
  }

  @Test func everyNumberRoundTrips() {
    Fuzzing.run("floating point", seconds: 1) { generator in
      let value = Double(bitPattern: generator.next())
      guard value.isFinite else { return }
      var writer = ByteWriter(capacity: 1)
      writer.put(json: value)
      let written = writer.string
      #expect(Double(written) == value, "\(value)")
    }
  }

  @Test func bufferHoldsWhatAnArrayWouldHold() {
    Fuzzing.run("output buffer") { generator in
      var buffer = OutputBuffer(capacity: 64 + generator.below(200))
      var expected: [UInt8] = []
      for _ in 0..<generator.below(30) {
        let bytes = Naive.bytes(&generator, upTo: 120)
        let number = Int64(bitPattern: generator.next() >> UInt64(generator.below(64)))
        switch generator.below(7) {
        case 0:
          ByteSlice.withCopy(of: bytes) { buffer.append($0) }
          expected += bytes
        case 1:
          bytes.withUnsafeBytes { buffer.append($0) }
          expected += bytes
        case 2:
          buffer.append(7)
          buffer.append("constant" as StaticString)
          buffer.append(string: "text")
          expected += [7] + "constanttext".utf8
        case 3:
          buffer.append(hex: UInt8(truncatingIfNeeded: number), uppercase: number % 2 == 0)
          let digits = String(UInt8(truncatingIfNeeded: number), radix: 16, uppercase: number % 2 == 0)
          expected += ((digits.count == 1 ? "0" : "") + digits).utf8
        case 4:
          let count = generator.below(expected.count + 2)
          buffer.truncate(to: count)
          expected = Array(expected.prefix(count))
        default:
          ByteSlice.withCopy(of: bytes) { slice in
            var cursor = buffer.cursor(reserving: slice.count + 40)
            let start = cursor
            cursor.put(decimal: number)
            cursor.alignRight(22, since: start)
            cursor.put(slice)
            cursor.put(hex: 0xab)
            buffer.commit(cursor)
          }
          let text = "\(number)"
          expected += (String(repeating: " ", count: 22 - text.count) + text).utf8 + bytes + "ab".utf8
        }
      }
      let bytes = Array(buffer.bytes)
      #expect(bytes == expected)
    }
  }

  @Test func writingMoreThanWasSaidStopsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      var buffer = OutputBuffer(capacity: 4096)
      var cursor = buffer.cursor(reserving: 8)
      for _ in 0..<5000 { cursor.put("a") }
      buffer.commit(cursor)
    }
    await #expect(processExitsWith: .failure) {
      var buffer = OutputBuffer(capacity: 64)
      buffer.append(upTo: 4) { _ in 5 }
    }
  }

  @Test func readerReadsWhatIsThereAndNoMore() {
    Fuzzing.run("byte reader") { generator in
      let bytes = Naive.bytes(&generator, upTo: 40)
      let (from, length) = (generator.below(50) - 5, generator.below(50) - 5)
      let start = max(0, min(from, bytes.count))
      let end = start + max(0, min(length, bytes.count - start))
      bytes.withUnsafeBytes { memory in
        var reader = ByteReader(memory, from: from, count: length)
        var place = start
        #expect(reader.position == start && reader.end == end)
        while !reader.isAtEnd {
          let left = end - place
          switch generator.below(5) {
          case 0:
            let value = try? reader.little(UInt32.self)
            #expect((value != nil) == (left >= 4))
            guard let value else { return }
            #expect(value == (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) })
            place += 4
          case 1:
            let value = try? reader.big(UInt16.self)
            #expect((value != nil) == (left >= 2))
            guard let value else { return }
            #expect(value == UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]))
            place += 2
          case 2:
            #expect((try? reader.byte()) == bytes[place])
            place += 1
          case 3:
            let count = UInt64(generator.below(20))
            let offset = try? reader.skip(count)
            #expect(offset == (count <= UInt64(left) ? place : nil))
            guard let offset else { return }
            let text = String(validating: bytes[offset..<offset + Int(count)], as: UTF8.self)
            #expect(reader.isText(offset, Int(count)) == (text != nil))
            var texts = ByteReader(memory, from: offset, count: Int(count))
            #expect((try? texts.text(count)) == (text != nil ? offset : nil))
            place += Int(count)
          default:
            let found = bytes[place..<end].prefix(11).firstIndex { $0 < 0x80 }
            let value = try? reader.varint()
            guard let found, let value else {
              #expect(value == nil || found != nil)
              return
            }
            var expected: UInt64 = 0
            for index in stride(from: found, through: place, by: -1) {
              expected = expected << 7 | UInt64(bytes[index] & 0x7f)
            }
            #expect(value == expected)
            place = found + 1
          }
          #expect(reader.position == place)
        }
        #expect(throws: CodecError.self) { try reader.byte() }
      }
    }
  }

  @Test func varintsRoundTrip() {
    Fuzzing.run("varint", seconds: 1) { generator in
      let number = generator.next() >> UInt64(generator.below(64))
      var writer = ByteWriter(capacity: 1)
      writer.varint(number)
      writer.array.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        let read = try? reader.varint()
        #expect(read == number && reader.isAtEnd)
        var short = ByteReader(bytes, from: 0, count: bytes.count - 1)
        #expect((try? short.varint()) == nil)
      }
    }
    ([UInt8](repeating: 0xff, count: 9) + [2]).withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      #expect(throws: CodecError(.number, at: 10)) { try reader.varint() }
      var flags = ByteReader(bytes)
      #expect(throws: CodecError(.tag, at: 0)) { try flags.flag() }
    }
  }

  @Test func viewsAreComparedByTheirBytes() {
    Array("abc".utf8).withUnsafeBytes { bytes in
      #expect(bytes == "abc" && !(bytes == "abd") && !(bytes == "ab"))
      #expect(
        bytes.part(1..<2).isSame(as: bytes.part(1..<2)) && !bytes.part(0..<1).isSame(as: bytes.part(1..<2)))
      #expect(bytes.at(2) == 0x63 && bytes.firstSpecial(from: 0) == 3)
    }
    Fuzzing.run("special bytes", seconds: 0.5) { generator in
      let bytes = Naive.bytes(&generator)
      let start = generator.below(bytes.count + 1)
      let first = bytes[start...].firstIndex { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c } ?? bytes.count
      #expect(bytes.withUnsafeBytes { $0.firstSpecial(from: start) } == first, "\(bytes) from \(start)")
    }
  }
}
