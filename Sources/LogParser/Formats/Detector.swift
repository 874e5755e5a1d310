import Bytes

/// One row of the table that detects a line's format: which lines are candidates, and the function that reads one.
///
/// Each format's file declares its row as `static let detector`; ``DetectorTable/rows`` orders the rows.
struct Detector: Sendable {
  /// Reads the line, or leaves it to the next row. In that case the record must be unchanged, except for bytes in its
  /// arena.
  typealias Reader =
    @Sendable (_ line: ByteSlice, _ context: inout LineContext, _ record: inout Record) throws(RecordProblem)
    -> Claim

  /// When a row is used.
  enum Use {
    /// While formats are detected line by line, and if one of these was chosen.
    case auto(orForced: [InputFormat])
    case always
  }

  /// The folder in `formats/input` that specifies the format.
  let shape: String
  let use: Use
  /// The bytes that a line of this format can begin with: other lines never get here. Nil for any byte.
  let firstBytes: Set<UInt8>?
  /// Whether every line is a candidate if the format was chosen for the whole input.
  let takesAnyLineIfForced: Bool
  let read: Reader

  /// - Parameter firstBytes: as ASCII characters; nil for any byte.
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

/// A detector's answer for a line.
enum Claim {
  /// It has another format.
  case passed
  /// The line was read into the record.
  case record
  /// The line has this format and no content.
  case nothing
  /// It should have this format but cannot be read. That is not an error: the line is kept raw.
  case raw
  /// The line is a part of one that a container runtime wrote in pieces, or the whole of it: ``LineContext/part``.
  case part(isPartial: Bool)
  /// Another writer's words begin at `head`; what stands before them goes on in a later line.
  case cut(head: Int)
  /// The line begins a block of lines that are one record: an entry of the journal's export format. A format with other
  /// blocks gets its own case, which says how its lines are recognised; the code that collects the lines limits them.
  case entry
  /// The line begins a JSON object that may take several lines, or that is a list of records.
  case object
}

/// What detectors know in addition to the line.
struct LineContext: ~Copyable {
  /// Reads the text that a line carries.
  let text: TextRecord
  /// Whether the user chose the format.
  let isForced: Bool
  /// Whether the input has had a line in another format than the runtime's logfmt.
  var isMixed = false
  /// Whether the head of an agent record can be kept until its rest arrives.
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

  /// Reads the line as what the wrapper carries.
  func claim(_ wrapper: Wrapper, _ record: inout Record) throws(RecordProblem) -> Claim {
    _ = try text.read(wrapper, into: &record)
    return .record
  }
}

/// A line that is a JSON object, parsed when the first row needs it.
struct LineObject: ~Copyable {
  private enum State {
    case unread
    /// It is an object without nested ones.
    case flat
    /// It is not such an object; whether it is a nested one is not known yet.
    case notFlat
    case nested
    case none
  }

  private var state = State.unread
  private var index = StructuralIndex()
  private(set) var members = MemberList()

  /// Call it before each line.
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
