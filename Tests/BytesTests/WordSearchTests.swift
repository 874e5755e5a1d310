import TestSupport
import Testing

@testable import Bytes

/// The search for a word and for control characters in a slice, and the kept minute, against the same things done
/// plainly.
struct WordSearchTests {
  private static let words: [StaticString] = ["a", "ab", "aba", "{\"msg\":\"", "abababababababababab"]

  @Test func wordsAreFoundWhereTheNaiveSearchFindsThem() {
    Fuzzing.run("words in slices") { generator in
      var bytes = (0..<generator.below(80)).map { _ in generator.pick(Array("aaabb{".utf8)) }
      let word = generator.pick(Self.words)
      let wanted = word.withUTF8Buffer { Array($0) }
      if generator.below(2) == 0 {
        bytes.insert(contentsOf: wanted, at: generator.below(bytes.count + 1))
      }
      let start = generator.below(bytes.count + 2)
      let found = (0...bytes.count).first { $0 >= start && bytes[$0...].starts(with: wanted) }
      ByteSlice.withCopy(of: bytes) { slice in
        #expect(slice.range(of: word, from: start) == found, "\(word) in \(bytes) from \(start)")
      }
    }
  }

  @Test func wordAfterTheEndIsNotFound() {
    ByteSlice.withCopy(of: Array("say time=".utf8)) { slice in
      #expect(slice.range(of: " time=") == 3)
      #expect(slice.prefix(8).range(of: " time=") == nil)
      #expect(slice.range(of: "") == 0)
      #expect(slice.range(of: "", from: 9) == 9)
      #expect(slice.range(of: "", from: 10) == nil)
      #expect(slice.range(of: "say", from: -1) == nil)
    }
  }

  @Test func controlsAreFoundAnywhereInTheSliceAndNotAfterIt() {
    for count in 0..<70 {
      let text = [UInt8](repeating: 0x61, count: count)
      for control in [0, 0x0d, 0x1b, 0x1f, 0x7f] as [UInt8] {
        for place in 0..<count {
          var bytes = text
          bytes[place] = control
          ByteSlice.withCopy(of: bytes) { slice in
            #expect(slice.hasControls)
            #expect(!slice.prefix(place).hasControls)
          }
        }
      }
      for other in [0x09, 0x0a, 0x20, 0x7e, 0x80, 0xff] as [UInt8] {
        ByteSlice.withCopy(of: text + [other]) { slice in #expect(!slice.hasControls) }
      }
    }
  }

  @Test func cachedMinuteWritesTheSameText() {
    Fuzzing.run("kept minutes") { generator in
      var cache = Timestamp.MinuteCache()
      for _ in 0..<20 {
        let time = Timestamp(
          seconds: Int64(generator.below(200)) - 100, nanoseconds: UInt32(generator.below(1_000_000_000)),
          offsetMinutes: Int16(generator.below(3) == 0 ? 60 : 0))
        cache.keepMinute(of: time)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Timestamp.maximumLength) { buffer in
          guard let out = buffer.baseAddress, let count = cache.write(time, separator: 0x54, to: out) else {
            #expect(time.offsetMinutes != 0)
            return
          }
          let text = String(decoding: UnsafeBufferPointer(start: out, count: count), as: UTF8.self) + "Z"
          #expect(text == time.rfc3339)
        }
      }
    }
  }
}
