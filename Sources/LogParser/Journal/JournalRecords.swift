import Basics
import CSystemd
import Glibc

/// The entries of a journal as records.
struct JournalRecords: ~Copyable {
  private let text: TextRecord
  private var reader: JournalReader
  private var members = MemberList()
  private var stop: StopSignals?
  private(set) var line: UInt64 = 0

  private init(text: TextRecord, reader: consuming JournalReader, stop: consuming StopSignals?) {
    self.text = text
    self.reader = reader
    self.stop = stop
  }

  /// Opens the journal. The newest records that `--lines` asks for are those that `filter` selects.
  static func open(
    _ options: RunOptions, _ journal: JournalOptions, _ filter: SelectionFilter
  ) throws(Run.Failure) -> JournalRecords {
    let cursor = try journal.cursorFile.flatMap { (path) throws(Run.Failure) in
      try CursorFile(path: path).read()
    }
    do throws(JournalError) {
      let since = options.selection.since
      let reader = try JournalReader.open(
        journal, since: since, until: options.selection.until, afterCursor: cursor,
        countsLines: filter.isEverything)
      var records = JournalRecords(
        text: TextRecord(rules: options.rules, reference: LocalTime.now()), reader: reader,
        stop: try signals(options))
      if let lines = journal.lines, cursor == nil, !filter.isEverything {
        try records.goBack(lines, notBefore: since, filter)
      }
      return records
    } catch {
      throw .message(error.description)
    }
  }

  /// Goes back from the end over so many records that `filter` selects. They are read again from there on, so that
  /// nothing is kept, however many they are.
  private mutating func goBack(
    _ count: Int, notBefore since: Timestamp?, _ filter: SelectionFilter
  ) throws(JournalError) {
    var record = Record()
    var left = count
    while left > 0, try reader.goBack(notBefore: since) {
      // What cannot be read is reported when its turn comes.
      guard let step = try? read(into: &record), case .record = step, filter.selects(record) else { continue }
      left -= 1
    }
  }

  private static func signals(_ options: RunOptions) throws(JournalError) -> StopSignals? {
    guard options.follows else { return nil }
    do throws(SystemCallError) {
      return try StopSignals()
    } catch {
      throw JournalError(error.description)
    }
  }

  var gaps: UInt64 { reader.gaps }

  /// The place of the entry that was read last.
  var cursor: String? { reader.cursor }

  enum Step {
    case record
    case problem(RecordProblem)
    /// journald says that it suppressed so many messages.
    case loss(UInt64)
    case end
  }

  mutating func next(into record: inout Record) throws(Run.Failure) -> Step {
    do throws(JournalError) {
      guard try reader.next() else { return .end }
    } catch {
      throw .message(error.description)
    }
    line += 1
    do throws(RecordProblem) {
      return try read(into: &record)
    } catch {
      return .problem(error)
    }
  }

  /// Reads the entry that the journal stands on.
  private mutating func read(into record: inout Record) throws(RecordProblem) -> Step {
    record.reset()
    record.line = line
    if try readWhole(&record) { return .record }
    if record.message.hasPrefix("Suppressed "), let count = lossReport(&record) { return .loss(count) }
    record.reset()
    record.line = line
    reader.fields(&members, &record.arena)
    try JournalEntry.read(members, time: time, into: &record, text: text)
    return .record
  }

  private var time: Timestamp { Timestamp(microseconds: reader.realtime) }

  /// Most entries of the Go runtime are whole records by themselves: of those only the message is read.
  private mutating func readWhole(_ record: inout Record) throws(RecordProblem) -> Bool {
    guard let message = reader.value(of: "MESSAGE", &record.arena) else { return false }
    if message.hasPrefix("time=") || message.hasPrefix("{") {
      var wrapper = Wrapper()
      wrapper.time = time
      wrapper.payload = message
      let shape = try text.read(wrapper, into: &record)
      return shape.isWholeRecord && record.pid > 0 && !record.name.isEmpty && !record.level.isEmpty
    }
    record.message = message
    return false
  }

  private mutating func lossReport(_ record: inout Record) -> UInt64? {
    guard let id = reader.value(of: "MESSAGE_ID", &record.arena), id == JournalReader.lossReport else {
      return nil
    }
    let field = reader.value(of: "N_DROPPED", &record.arena)
    if let count = field.flatMap({ DecimalNumber.parse($0) }), count > 0 { return UInt64(count) }
    var scanner = TextScanner(record.message.dropFirst(11))
    return UInt64(scanner.number(1, 18) ?? 0)
  }

  /// Waits for more entries; false when the user has ended the run.
  mutating func wait() throws(Run.Failure) -> Bool {
    guard let signals = stop?.file.number, !reader.isPastEnd else { return false }
    do throws(JournalError) {
      return try reader.wait(orFor: FileDescriptor(borrowing: signals))
    } catch {
      throw .message(error.description)
    }
  }
}
