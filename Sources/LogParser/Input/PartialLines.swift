import Bytes

/// Lines of container logs that arrive in parts: the parts so far of each stream.
struct PartialLines: ~Copyable {
  enum Result {
    /// More parts follow.
    case waits
    /// The line has only one part.
    case single
    /// The last part arrived: the whole line, and the wrapper of the first part.
    case joined(HeldLines.Line, Wrapper)
    /// The last part of a line over the limit arrived.
    case tooLong(Int)
  }

  private struct Stream {
    var bytes: [UInt8] = []
    var count = 0
    var line: UInt64 = 0
    var first = Wrapper()
  }

  private let limit: Int
  private var streams = [Stream(), Stream()]

  init(limit: Int) { self.limit = limit }

  mutating func add(_ wrapper: Wrapper, isPartial: Bool, line: UInt64) -> Result {
    let index = wrapper.stream == "stderr" ? 1 : 0
    if !isPartial, streams[index].count == 0 { return .single }
    if streams[index].count == 0 {
      streams[index].line = line
      streams[index].first = Wrapper()
      streams[index].first.time = wrapper.time
    }
    streams[index].count += max(1, wrapper.payload.count)
    if streams[index].count <= limit { streams[index].bytes.append(contentsOf: wrapper.payload.bytes) }
    if isPartial { return .waits }
    return take(index)
  }

  private mutating func take(_ index: Int) -> Result {
    let stream = streams[index]
    streams[index] = Stream()
    if stream.count > limit { return .tooLong(stream.count) }
    var first = stream.first
    first.stream =
      index == 0
      ? ByteSlice(padded: "stdout                                                                ", count: 6)
      : ByteSlice(padded: "stderr                                                                ", count: 6)
    return .joined(Self.line(stream), first)
  }

  private static func line(_ stream: Stream) -> HeldLines.Line {
    stream.bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return HeldLines.Line(.empty, stream.line) }
      return HeldLines.Line(ByteSlice(base: base, count: bytes.count, isPlain: false), stream.line)
    }
  }

  /// The parts of a stream whose last part never arrived; `waits` if there are none.
  mutating func takeRest() -> Result {
    for index in streams.indices where streams[index].count > 0 { return take(index) }
    return .waits
  }
}
