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
  /// Readable when the user has ended a followed run.
  let stopDescriptor: Int32?

  private init(text: TextRecord, reader: consuming JournalReader, stop: consuming StopSignals?) {
    self.text = text
    self.reader = reader
    stopDescriptor = stop?.file.number
    self.stop = stop
  }

  static func open(_ options: RunOptions, _ journal: JournalOptions) throws(Run.Failure) -> JournalRecords {
    let cursor = try journal.cursorFile.map { (path) throws(Run.Failure) in try CursorFile(path: path).read()
    }
    do throws(JournalError) {
      let reader = try JournalReader.open(
        journal, since: options.selection.since, until: options.selection.until, afterCursor: cursor ?? nil)
      return JournalRecords(
        text: TextRecord(rules: options.rules, reference: LocalTime.now()), reader: reader,
        stop: try signals(options))
    } catch {
      throw .message(error.description)
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
    record.reset()
    record.line = line
    do throws(RecordProblem) {
      if try readWhole(&record) { return .record }
      if record.message.hasPrefix("Suppressed "), let count = lossReport(&record) { return .loss(count) }
      record.reset()
      record.line = line
      reader.fields(&members, &record.arena)
      try JournalEntry.read(members, time: time, into: &record, text: text)
      return .record
    } catch {
      return .problem(error)
    }
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

  /// Waits for more entries, for so many milliseconds at most if `patience` is not negative.
  mutating func wait(_ patience: Int32) throws(Run.Failure) -> RecordSource.Wait {
    guard let signals = stopDescriptor, !reader.isPastEnd else { return .end }
    do throws(JournalError) {
      let isStopped = try !reader.wait(orFor: FileDescriptor(borrowing: signals), patience: patience)
      return isStopped ? .stopped : .mayHaveMore
    } catch {
      throw .message(error.description)
    }
  }
}
