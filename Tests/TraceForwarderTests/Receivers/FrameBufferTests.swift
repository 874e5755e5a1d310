import Bytes
import TestSupport
import Testing

@testable import TraceForwarder

struct FrameBufferTests {
  /// A stream of frames with these payloads.
  private func stream(_ payloads: [[UInt8]]) -> [UInt8] {
    var out = ByteWriter(capacity: 1024)
    for payload in payloads {
      out.big(UInt64(payload.count))
      out.put(payload)
    }
    return out.array
  }

  /// What a stream that arrives in these pieces gives: payloads, what stands at the front in the end, and the largest
  /// memory.
  private struct Outcome: Equatable {
    var payloads: [[UInt8]] = []
    var head = FrameBuffer.Head.incomplete
    var left = 0
    var mostCapacity = 0
    /// Bytes that found no room.
    var refused = 0
  }

  private func outcome(
    _ bytes: [UInt8], cuts: some Sequence<Int>, limit: Int, allowance: Int = .max
  ) -> Outcome {
    var frames = FrameBuffer(limit: limit)
    var result = Outcome()
    var start = 0
    for end in Array(cuts) + [bytes.count] {
      var piece = bytes[start..<end]
      start = end
      while !piece.isEmpty {
        guard frames.makeRoom(allowance: allowance) else {
          result.refused += piece.count
          break
        }
        result.mostCapacity = max(result.mostCapacity, frames.capacity)
        frames.fill(piece.count) { target in
          let count = min(target.count, piece.count)
          target.copyBytes(from: piece.prefix(count))
          piece = piece.dropFirst(count)
          return count
        }
        while case .frame(let count) = frames.head {
          frames.withPayload(count) { result.payloads.append(Array($0)) }
          frames.dropFrame(count)
        }
      }
    }
    result.head = frames.head
    result.left = frames.count
    return result
  }

  private let payloads: [[UInt8]] = [[1], Array("two payloads".utf8), [UInt8](repeating: 0xff, count: 300)]

  @Test func streamCutInTwoAtEveryByteGivesTheSameFrames() {
    let bytes = stream(payloads)
    for cut in 0...bytes.count {
      let result = outcome(bytes, cuts: [cut], limit: 1000)
      #expect(result.payloads == payloads, "cut at \(cut)")
      #expect(result.head == .incomplete && result.left == 0, "cut at \(cut)")
    }
  }

  @Test func streamThatArrivesByteByByteGivesTheSameFrames() {
    let bytes = stream(payloads)
    #expect(outcome(bytes, cuts: 0..<bytes.count, limit: 1000).payloads == payloads)
  }

  @Test func streamThatEndsAtAnyByteKeepsItsWholeFramesAndItsRest() {
    let bytes = stream(payloads)
    var ends: [Int] = []
    for payload in payloads { ends.append((ends.last ?? 0) + 8 + payload.count) }
    for end in 0..<bytes.count {
      let result = outcome(Array(bytes[..<end]), cuts: [], limit: 1000)
      let whole = ends.prefix { $0 <= end }
      #expect(result.payloads == Array(payloads.prefix(whole.count)), "ended at \(end)")
      #expect(result.left == end - (whole.last ?? 0), "ended at \(end)")
      #expect(result.head == .incomplete, "ended at \(end)")
    }
  }

  @Test(arguments: [0, 1001, 1 << 31, UInt64(Int.max), 1 << 63, .max - 7, .max] as [UInt64])
  func lengthThatNoFrameMayHaveStopsTheStream(_ length: UInt64) {
    var out = ByteWriter(capacity: 64)
    out.big(length)
    out.put([UInt8](repeating: 7, count: 40))
    let result = outcome(stream(payloads) + out.array, cuts: [], limit: 1000)
    #expect(result.payloads == payloads)
    #expect(result.head == .badLength(length))
    #expect(result.left == 48)
  }

  @Test func lengthAtTheLimitIsTakenAndOneMoreIsNot() {
    for (count, isTaken) in [(999, true), (1000, true), (1001, false)] {
      let result = outcome(stream([[UInt8](repeating: 1, count: count)]), cuts: [], limit: 1000)
      #expect((result.payloads.count == 1) == isTaken)
    }
  }

  @Test func announcedLengthTakesNoMemory() {
    var out = ByteWriter(capacity: 64)
    out.big(UInt64(4 << 20))
    let result = outcome(out.array + [1, 2, 3], cuts: [], limit: 4 << 20)
    #expect(result.mostCapacity == FrameBuffer.initialCapacity)
  }

  @Test func largestFrameFitsAndTheBufferShrinksAfterIt() {
    let limit = 4 << 20
    let payload = [UInt8](repeating: 5, count: limit)
    let result = outcome(stream([payload, [1]]), cuts: [], limit: limit)
    #expect(result.payloads == [payload, [1]])
    #expect(result.mostCapacity <= limit + (64 << 10) + 8)

    var frames = FrameBuffer(limit: limit)
    for byte in stream([payload]) {
      _ = frames.makeRoom(allowance: .max)
      frames.fill(1) { target in
        target[0] = byte
        return 1
      }
    }
    #expect(frames.capacity > limit)
    let dropped = frames.dropFrames()
    #expect(dropped == 1)
    let hasRoom = frames.makeRoom(allowance: 0)
    #expect(hasRoom)
    #expect(frames.capacity == FrameBuffer.initialCapacity)
  }

  @Test func bufferWithoutAllowanceFillsWhatItHasAndGrowsNoMore() {
    let bytes = stream([[UInt8](repeating: 1, count: 100_000)])
    let result = outcome(bytes, cuts: [], limit: 1 << 20, allowance: 0)
    #expect(result.mostCapacity == FrameBuffer.initialCapacity)
    #expect(result.refused == bytes.count - FrameBuffer.initialCapacity)
    #expect(result.payloads.isEmpty)
  }

  @Test func fillThatClaimsMoreThanFitsCountsWhatFits() {
    var frames = FrameBuffer(limit: 1000)
    frames.fill(10) { _ in .max }
    #expect(frames.count == 10)
    frames.fill(10) { _ in -5 }
    #expect(frames.count == 10)
    frames.fill(.max) { $0.count }
    #expect(frames.count == FrameBuffer.initialCapacity)
  }

  /// Streams of frames of any size with damage in them, in pieces of any size: the payloads are those of a simple reading
  /// of the whole.
  @Test(arguments: 0..<60 as Range<UInt64>)
  func randomStreamInRandomPiecesIsReadAsAWhole(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    let limit = generator.pick([1, 20, 5000, 70_000])
    var bytes = stream(
      (0..<generator.below(30)).map { _ in
        let most = generator.oneIn(4) ? limit : min(limit, 64)
        return (0..<1 + generator.below(most)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      })
    if generator.oneIn(2), !bytes.isEmpty {
      bytes[generator.below(bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
    }
    if generator.oneIn(3) { bytes.removeLast(generator.below(bytes.count)) }
    let cuts = (0..<generator.below(40)).map { _ in generator.below(bytes.count + 1) }.sorted()
    let result = outcome(bytes, cuts: cuts, limit: limit)

    var expected: [[UInt8]] = []
    var rest = bytes[...]
    var head = FrameBuffer.Head.incomplete
    while rest.count >= 8 {
      let length = rest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      if length == 0 || length > UInt64(limit) {
        head = .badLength(length)
        break
      }
      guard rest.count - 8 >= Int(length) else { break }
      expected.append(Array(rest.dropFirst(8).prefix(Int(length))))
      rest = rest.dropFirst(8 + Int(length))
    }
    #expect(result.payloads == expected, "seed \(seed)")
    #expect(result.head == head, "seed \(seed)")
    #expect(result.left + result.refused == rest.count, "seed \(seed)")
    #expect(result.mostCapacity <= max(FrameBuffer.initialCapacity, limit + 8 + (64 << 10)), "seed \(seed)")
  }
}
