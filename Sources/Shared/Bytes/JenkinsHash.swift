/// Bob Jenkins' lookup3, as journal files have it of their entries: https://burtleburtle.net/bob/c/lookup3.c
public enum JenkinsHash {
  /// The two words of `hashlittle2`, the first one in the upper half.
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var state = State(0xdead_beef &+ UInt32(truncatingIfNeeded: bytes.count))
    var offset = 0
    while bytes.count - offset > 12 {
      state.take((0..<3).map { bytes.little(UInt32.self, at: offset + $0 * 4) ?? 0 })
      state.mix()
      offset += 12
    }
    // Nothing is mixed for an empty text.
    guard offset < bytes.count else { return state.words }
    var last: [UInt32] = [0, 0, 0]
    for (index, byte) in bytes[offset...].enumerated() {
      last[index / 4] |= UInt32(byte) << UInt32(index % 4 * 8)
    }
    state.take(last)
    state.finish()
    return state.words
  }

  private struct State {
    private var a: UInt32
    private var b: UInt32
    private var c: UInt32

    init(_ start: UInt32) { (a, b, c) = (start, start, start) }

    var words: UInt64 { UInt64(c) << 32 | UInt64(b) }

    mutating func take(_ words: [UInt32]) {
      a &+= words[0]
      b &+= words[1]
      c &+= words[2]
    }

    mutating func mix() {
      Self.step(&a, &c, b, 4)
      Self.step(&b, &a, c, 6)
      Self.step(&c, &b, a, 8)
      Self.step(&a, &c, b, 16)
      Self.step(&b, &a, c, 19)
      Self.step(&c, &b, a, 4)
    }

    private static func step(_ x: inout UInt32, _ y: inout UInt32, _ z: UInt32, _ count: UInt32) {
      x = (x &- y) ^ rotated(y, count)
      y &+= z
    }

    mutating func finish() {
      c = (c ^ b) &- Self.rotated(b, 14)
      a = (a ^ c) &- Self.rotated(c, 11)
      b = (b ^ a) &- Self.rotated(a, 25)
      c = (c ^ b) &- Self.rotated(b, 16)
      a = (a ^ c) &- Self.rotated(c, 4)
      b = (b ^ a) &- Self.rotated(a, 14)
      c = (c ^ b) &- Self.rotated(b, 24)
    }

    private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
      word << count | word >> (32 - count)
    }
  }
}
