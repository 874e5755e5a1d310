import Foundation
import TestSupport
import Testing

@testable import LogParser

struct UTF16DecoderTests {
  /// Decodes bytes in pieces that end at the places of `cuts`.
  private func decode(_ bytes: [UInt8], head: [UInt8], cuts: [Int]) throws -> String {
    var decoder = try #require(UTF16Decoder(head: head))
    var text: [UInt8] = []
    var start = 0
    for end in cuts.sorted() + [bytes.count] {
      let piece = Array(bytes[start..<end])
      var room = [UInt8](repeating: 0, count: UTF16Decoder.bound(piece.count))
      let count = piece.withUnsafeBytes { piece in
        room.withUnsafeMutableBufferPointer { room in
          room.baseAddress.map { decoder.decode(piece, into: $0) } ?? 0
        }
      }
      text += room.prefix(count)
      start = end
    }
    var room = [UInt8](repeating: 0, count: 6)
    let count = room.withUnsafeMutableBufferPointer { room in
      room.baseAddress.map { decoder.finish(into: $0) } ?? 0
    }
    return String(decoding: text + room.prefix(count), as: UTF8.self)
  }

  @Test(.seeded) func anyTextIsDecodedWhereverItIsCut() throws {
    var random = Seed.generator()
    for _ in 0..<300 {
      let scalars = (0..<random.next() % 40).compactMap { _ -> Unicode.Scalar? in
        let limits: [UInt32] = [0x80, 0x800, 0x10000, 0x110000]
        return Unicode.Scalar(UInt32(random.next() % UInt64(limits[Int(random.next() % 4)])))
      }
      var text = ""
      text.unicodeScalars.append(contentsOf: scalars)
      for isBig in [false, true] {
        let bytes = text.utf16.flatMap { unit in
          isBig ? [UInt8(unit >> 8), UInt8(unit & 255)] : [UInt8(unit & 255), UInt8(unit >> 8)]
        }
        let cuts = (0..<random.next() % 5).map { _ in Int(random.next() % UInt64(bytes.count + 1)) }
        let decoded = try decode(bytes, head: isBig ? [0xfe, 0xff] : [0xff, 0xfe], cuts: cuts)
        #expect(Array(decoded.unicodeScalars) == Array(text.unicodeScalars), "\(bytes) \(cuts)")
      }
    }
  }

  @Test(
    arguments: [
      ([0x00, 0xd8], "\u{fffd}"), ([0x00, 0xdc, 0x41, 0x00], "\u{fffd}A"),
      ([0x00, 0xd8, 0x41, 0x00], "\u{fffd}A"), ([0x41, 0x00, 0x42], "A\u{fffd}"),
      ([0x00, 0xd8, 0x00, 0xd8, 0x00, 0xdc], "\u{fffd}\u{10000}"),
    ] as [([UInt8], String)])
  func brokenUnitsAreReplaced(_ bytes: [UInt8], _ expected: String) throws {
    #expect(try decode(bytes, head: [0xff, 0xfe], cuts: []) == expected)
  }

  @Test(arguments: ["time=\"2", "{\"a\":1}", "t", "", "\0\0\0\0\0\0\0\0", "t\0i\0m", "t\0i\0\u{1}\0m\0"])
  func otherTextIsLeftAlone(_ head: String) { #expect(UTF16Decoder(head: Array(head.utf8)) == nil) }

  @Test(arguments: ["t\0i\0m\0e\0", "\0t\0i\0m\0e"])
  func textWithoutMarkIsKnownByItsZeros(_ head: String) {
    #expect(UTF16Decoder(head: Array(head.utf8)) != nil)
  }
}
