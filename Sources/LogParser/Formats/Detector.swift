import Bytes

/// One row of the table by which a line's shape is found: which lines come into question, and what takes one.
///
/// A shape's own file declares its row as `static let detector`; ``DetectorTable/rows`` puts the rows in order.
struct Detector: Sendable {
  /// Reads the line, or leaves it to the next row. What it put into the record must then be nothing; bytes in its
  /// arena may stay.
  typealias Reader =
    @Sendable (_ line: ByteSlice, _ context: inout LineContext, _ record: inout Record) throws(RecordProblem)
    -> Claim

  /// When a row is asked.
  enum Use {
    /// While formats are found out line by line, and where one of these was chosen.
    case auto(orForced: [InputFormat])
    case always
  }

  /// The folder below `formats/input` that specifies the shape.
  let shape: String
  let use: Use
  /// The bytes that a line of this shape can begin with: lines that begin with any other never get here. Nil when that
  /// may be any.
  let firstBytes: Set<UInt8>?
  /// Whether every line comes into question where the shape was chosen for the whole input.
  let takesAnyLineIfForced: Bool
  let read: Reader

  /// - Parameter firstBytes: as characters of ASCII; nil for any.
  init(
    shape: String, use: Use = .auto(orForced: []), firstBytes: String?, takesAnyLineIfForced: Bool = false,
    read: @escaping Reader
  ) {
    self.shape = shape
    self.use = use
    self.firstBytes = firstBytes.map { Set($0.utf8) }
    self.takesAnyLineIfForced = takesAnyLineIfForced
    self.read = read
  }
}

/// What a detector says of a line.
enum Claim {
  /// It is of another shape.
  case passed
  /// The line was read into the record.
  case record
  /// The line is of this shape and says nothing.
  case nothing
  /// It should be of this shape and cannot be read, but it is no error: the line is kept raw.
  case raw
  /// The line is a part of one that a container runtime wrote in pieces, or the whole of it: ``LineContext/part``.
  case part(isPartial: Bool)
  /// Another writer's words begin at `head`; what stands before them goes on in a later line.
  case cut(head: Int)
  /// The line begins a block of lines that are one record: an entry of the journal's export format. A shape with other
  /// blocks gets a case beside this one, which says how the lines that belong to it are told; whoever collects them
  /// bounds them.
  case entry
  /// The line begins a JSON object that may take several lines, or that is a list of records.
  case object
}

/// What detectors are told beside the line.
struct LineContext: ~Copyable {
  /// Reads what a line carries.
  let text: TextRecord
  /// Whether the user chose the format.
  let isForced: Bool
  /// Whether the input has had a line of another shape than the runtime's logfmt.
  var isMixed = false
  /// Whether the head of an agent's record can be kept until its rest comes.
  var keepsHeads = false
  /// The pod that the lines before this one describe.
  var describedPod = DescribedPod()
  /// What ``Claim/part(isPartial:)`` is about: in a claim itself, it would be copied wherever one goes.
  var part = Wrapper()
  /// The line as a JSON object, for the rows that look into one.
  var object = LineObject()

  init(text: TextRecord, isForced: Bool) {
    self.text = text
    self.isForced = isForced
  }

  var rules: ReadingRules { text.rules }

  /// Takes a line for what the wrapper carries.
  func claim(_ wrapper: Wrapper, _ record: inout Record) throws(RecordProblem) -> Claim {
    _ = try text.read(wrapper, into: &record)
    return .record
  }
}

/// A line that is a JSON object, read when the first row asks for it.
struct LineObject: ~Copyable {
  private enum State {
    case unread
    /// It is an object without nested ones.
    case flat
    /// It is no such object; whether it is another one was not asked yet.
    case notFlat
    case nested
    case none
  }

  private var state = State.unread
  private var index = StructuralIndex()
  private(set) var members = MemberList()

  /// To be called when the next line comes.
  @inline(__always)
  mutating func forget() { state = .unread }

  /// Whether the line is an object without nested ones; then ``members`` are its members.
  mutating func readFlat(_ line: ByteSlice, _ arena: inout Arena) -> Bool {
    if state == .unread {
      state = JSONMembers.readFlat(line, into: &members, &arena, &index) ? .flat : .notFlat
    }
    return state == .flat
  }

  /// Whether the line is an object; then ``members`` are its members.
  mutating func read(_ line: ByteSlice, _ arena: inout Arena) -> Bool {
    if readFlat(line, &arena) { return true }
    if state == .notFlat {
      do throws(RecordProblem) {
        members = try JSONMembers.flattenedByTokens(line, &arena)
        state = .nested
      } catch {
        state = .none
      }
    }
    return state == .nested
  }
}
