import Bytes
import Glibc

/// Lines that were read but cannot become records yet.
struct HeldLines: ~Copyable {
  /// A line's own copy of its bytes, with the padding that slices need.
  final class Line {
    let line: UInt64
    private let storage: UnsafeMutablePointer<UInt8>
    private let count: Int

    init(_ bytes: ByteSlice, _ line: UInt64) {
      self.line = line
      count = bytes.count
      storage = .allocate(capacity: count + ByteSlice.padding)
      storage.update(from: bytes.base, count: count)
      (storage + count).update(repeating: 0, count: ByteSlice.padding)
    }

    deinit { storage.deallocate() }

    /// Valid while the line is kept.
    var slice: ByteSlice { ByteSlice(base: storage, count: count, isPlain: false) }

    /// This line's bytes followed by those of `rest`, in the arena.
    func joined(with rest: ByteSlice, _ arena: inout Arena) -> ByteSlice {
      let out = arena.reserve(count + rest.count)
      out.update(from: storage, count: count)
      (out + count).update(from: rest.base, count: rest.count)
      return arena.commit(count + rest.count)
    }
  }

  private var lines: [Line] = []
  private var position = 0
  /// The line that was handed out last: a record may still borrow from it.
  private var current: Line?
  private(set) var isReplaying = false
  private(set) var byteCount = 0

  var isEmpty: Bool { lines.isEmpty }

  mutating func append(_ bytes: ByteSlice, _ line: UInt64) {
    lines.append(Line(bytes, line))
    byteCount += bytes.count + 64
  }

  /// Starts handing out the lines with the next call.
  mutating func replay() { isReplaying = true }

  /// Hands out the current line once more, before any other: the one that was handed out last, or one that arrived
  /// while none was held.
  mutating func replayNext(_ bytes: ByteSlice, _ line: UInt64) {
    if isReplaying { position -= 1 } else { append(bytes, line) }
    isReplaying = true
  }

  mutating func nextToReplay() -> Line? {
    guard isReplaying else { return nil }
    guard position < lines.count else {
      lines.removeAll()
      position = 0
      byteCount = 0
      isReplaying = false
      return nil
    }
    current = lines[position]
    position += 1
    return current
  }
}
