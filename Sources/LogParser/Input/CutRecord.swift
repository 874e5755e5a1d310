import Bytes

/// The head of an agent's record that a kernel line cut in two, until the line comes that is its rest.
struct CutRecord: ~Copyable {
  enum Continuation {
    /// There is no head, or the line may stand between the halves.
    case none
    /// Head and line are one record, which was read.
    case joined
    /// The line is not the head's rest, which is given up.
    case broken(head: HeldLines.Line)
  }

  /// The kernel's lines that may stand between the halves end so many lines behind the head.
  private static let reach: UInt64 = 16

  private var head: HeldLines.Line?

  var isEmpty: Bool { head == nil }

  mutating func keep(_ text: ByteSlice, _ line: UInt64) { head = HeldLines.Line(text, line) }

  /// Gives up the head.
  mutating func take() -> HeldLines.Line? {
    defer { head = nil }
    return head
  }

  /// Reads head and line into `record` if they are the agent's record.
  mutating func join(
    _ line: ByteSlice, _ number: UInt64, into record: inout Record
  ) throws(RecordProblem) -> Continuation {
    guard let head else { return .none }
    if KernelLine.stampLength(line) != nil, number - head.line < Self.reach { return .none }
    self.head = nil
    let whole = head.joined(with: line, &record.arena)
    guard let members = try? JSONMembers.flattened(whole, &record.arena), JSONRecord.isRecord(members) else {
      return .broken(head: head)
    }
    try JSONRecord.read(members, into: &record, keepsAgentTime: false)
    record.line = head.line
    return .joined
  }
}
