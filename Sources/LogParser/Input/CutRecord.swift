import Bytes

/// The first part of an agent record that a kernel line interrupted, kept until the line with its rest arrives.
struct CutRecord: ~Copyable {
  enum Continuation {
    /// There is no head, or the line may be between the two parts.
    case none
    /// The head and the line are one record, which was read.
    case joined
    /// The line is not the rest of the head, which is abandoned.
    case broken(head: HeldLines.Line)
  }

  /// The rest must follow within this many lines; kernel lines may be in between.
  private static let reach: UInt64 = 16

  private var head: HeldLines.Line?

  var isEmpty: Bool { head == nil }

  mutating func keep(_ text: ByteSlice, _ line: UInt64) { head = HeldLines.Line(text, line) }

  /// Removes and returns the head.
  mutating func take() -> HeldLines.Line? {
    defer { head = nil }
    return head
  }

  /// Reads the head and the line into `record` if they are an agent record.
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
