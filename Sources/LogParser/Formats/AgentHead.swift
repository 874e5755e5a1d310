/// A line of the agent's that does not end because a kernel line was written into it: the kernel's half becomes the
/// record, and the agent's half waits for the rest, which begins a later line.
enum AgentHead {
  static let detector = Detector(
    shape: "console", use: .auto(orForced: [.console]), firstBytes: "{"
  ) { (line, context, _) throws(RecordProblem) in
    // Before any time is known all lines wait, and are read when it is.
    guard context.keepsHeads, context.rules.unpacksAgent, line.hasPrefix("{\""),
      KernelLine.hasAgentObject(line),
      let stamp = KernelLine.firstStamp(in: line)
    else { return .passed }
    return .cut(head: stamp)
  }
}
