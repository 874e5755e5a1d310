/// Decodes a body in the chunked transfer coding (RFC 9112, section 7.1) as it arrives.
struct ChunkedBody {
  enum Progress {
    /// This many bytes were consumed; more are needed.
    case needsMore(taken: Int)
    case complete(taken: Int)
    case tooLarge
    case malformed
  }

  private enum State {
    case size
    /// Remaining bytes of the chunk.
    case data(Int)
    /// The line's end after a chunk.
    case dataEnd
    case trailer
  }

  private var state = State.size
  /// Bytes of trailer fields, which are skipped.
  private var trailerBytes = 0

  private static let longestLine = 256
  private static let mostTrailerBytes = 4096

  /// Consumes as much of `bytes` as possible and appends the decoded part to `body`, which must not exceed `limit`.
  mutating func take(_ bytes: ArraySlice<UInt8>, limit: Int, into body: inout [UInt8]) -> Progress {
    var rest = bytes
    while true {
      switch state {
      case .size:
        guard let line = Self.line(&rest, limit: Self.longestLine) else {
          return rest.count > Self.longestLine ? .malformed : .needsMore(taken: bytes.count - rest.count)
        }
        guard let size = Self.size(line) else { return .malformed }
        guard size <= limit - body.count else { return .tooLarge }
        state = size == 0 ? .trailer : .data(size)
      case .data(let left):
        let count = min(left, rest.count)
        body.append(contentsOf: rest.prefix(count))
        rest = rest.dropFirst(count)
        guard count == left else {
          state = .data(left - count)
          return .needsMore(taken: bytes.count)
        }
        state = .dataEnd
      case .dataEnd:
        guard rest.count >= 2 else { return .needsMore(taken: bytes.count - rest.count) }
        guard rest.starts(with: [0x0d, 0x0a]) else { return .malformed }
        rest = rest.dropFirst(2)
        state = .size
      case .trailer:
        let limit = Self.mostTrailerBytes - trailerBytes
        guard let line = Self.line(&rest, limit: limit) else {
          return rest.count > limit ? .malformed : .needsMore(taken: bytes.count - rest.count)
        }
        trailerBytes += line.count
        if line.isEmpty { return .complete(taken: bytes.count - rest.count) }
      }
    }
  }

  /// Takes a line off, without its end; nil when its end is not among the first `limit` bytes and the one after them,
  /// so that a line is too long or not however it arrives.
  private static func line(_ rest: inout ArraySlice<UInt8>, limit: Int) -> ArraySlice<UInt8>? {
    guard let end = rest.prefix(limit + 1).firstIndex(of: 0x0a) else { return nil }
    let line = rest[rest.startIndex..<end]
    rest = rest[(end + 1)...]
    return line.last == 0x0d ? line.dropLast() : line
  }

  /// The hexadecimal number before any extension; at most eight digits.
  private static func size(_ line: ArraySlice<UInt8>) -> Int? {
    let digits = String(decoding: line.prefix { $0 != 0x3b && $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)
    guard (1...8).contains(digits.utf8.count), digits.allSatisfy(\.isHexDigit) else { return nil }
    return Int(digits, radix: 16)
  }
}
