import Bytes

/// A line of a container runtime's log file: `2016-10-06T00:17:09.669794202Z stdout F text`.
enum CRIPrefix {
  /// The line, and whether it continues on the next line of its stream (`P`).
  static func read(_ line: ByteSlice) -> (wrapper: Wrapper, isPartial: Bool)? {
    var scanner = TextScanner(line)
    guard let stamp = scanner.word(), let time = Timestamp.parse(rfc3339: stamp.bytes), scanner.take(0x20),
      let stream = scanner.word(), stream == "stdout" || stream == "stderr", scanner.take(0x20),
      let tags = scanner.word()
    else { return nil }
    // Tags are joined by colons; the first says whether the line is complete.
    guard tags[0] == 0x46 || tags[0] == 0x50, tags.count == 1 || tags[1] == 0x3a else { return nil }
    guard scanner.isAtEnd || scanner.take(0x20) else { return nil }
    var wrapper = Wrapper()
    wrapper.time = time
    wrapper.stream = stream
    wrapper.payload = scanner.rest
    return (wrapper, tags[0] == 0x50)
  }
}

extension CRIPrefix {
  static let detector = Detector(
    shape: "cri", use: .auto(orForced: [.cri]), firstBytes: "0123456789"
  ) { (line, context, _) throws(RecordProblem) in
    guard let (wrapper, isPartial) = read(line) else { return .passed }
    context.part = wrapper
    return .part(isPartial: isPartial)
  }
}
