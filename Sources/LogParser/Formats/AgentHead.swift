/// An agent line that was interrupted by a kernel line: the kernel's part becomes the record, and the agent's part
/// waits for its rest, which begins a later line.
enum AgentHead {
  static let detector = Detector(
    shape: "console", use: .auto(orForced: [.console]), firstBytes: "{"
  ) { (line, context, _) throws(RecordProblem) in
    // Until a time is known all lines wait, and are read afterwards.
    guard context.keepsHeads, context.rules.unpacksAgent, line.hasPrefix("{\""),
      KernelLine.hasAgentObject(line),
      let stamp = KernelLine.firstStamp(in: line)
    else { return .passed }
    return .cut(head: stamp)
  }
}
