/// A line that is recognisably from a guest's console: a kernel line, one with escape sequences, one that contains the
/// agent's record. With `--input-format console`, every line is one.
enum ConsoleLine {
  static let detector = Detector(
    shape: "console", use: .auto(orForced: [.console]), firstBytes: nil
  ) { (line, context, record) throws(RecordProblem) in
    if context.isForced {
      if KernelLine.stampLength(line) != nil || KernelLine.hasAgentObject(line) {
        return try context.claim(Wrapper(line), &record)
      }
      _ = try context.text.readConsole(line, into: &record, hasTime: false)
      return .record
    }
    guard
      KernelLine.stampLength(line) != nil || line.contains(0x1b) || KernelLine.hasPriority(line)
        || context.rules.isLenient && SystemdStatus.level(of: line) != nil || KernelLine.hasAgentObject(line)
        || line.hasPrefix("vm console: \"")
    else { return .passed }
    let claim = try context.claim(Wrapper(line), &record)
    if context.rules.isLenient, record.level.isEmpty, let level = SystemdStatus.level(of: record.message) {
      record.level = level
      if record.source.isEmpty, record.fields.value(of: "host") == nil {
        record.source = AgentRecord.consoleSource
      }
    }
    return claim
  }
}
