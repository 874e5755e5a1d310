import Bytes
import Glibc
import System

/// The entries of a journal as records: those that libsystemd reads, then those of damaged files.
struct JournalRecords: ~Copyable {
  private let text: TextRecord
  private var reader: JournalReader?
  private var damaged: DamagedEntries
  private var members = MemberList()
  private var stop: StopSignals?
  private var isReaderDone: Bool
  private var hasToldOfFaults = false
  private(set) var line: UInt64 = 0
  /// Readable when the user has ended a followed run.
  let stopDescriptor: Int32?

  private init(
    text: TextRecord, reader: consuming JournalReader?, damaged: consuming DamagedEntries,
    stop: consuming StopSignals?
  ) {
    self.text = text
    isReaderDone = reader == nil
    self.reader = reader
    self.damaged = damaged
    stopDescriptor = stop?.file.number
    self.stop = stop
  }

  /// Opens the journal. `--lines` counts the records that `filter` selects.
  ///
  /// - Parameter cursor: the cursor of an earlier run, after which reading begins.
  static func open(
    _ options: JournalOptions, _ selection: Selection, _ filter: SelectionFilter, _ attribution: Attribution?,
    rules: ReadingRules,
    afterCursor cursor: String?, isFollowed: Bool
  ) throws(JournalError) -> JournalRecords {
    let since = selection.since
    let until = selection.until
    var journal = options
    if let boot = journal.boot {
      journal.boot = try JournalBoots.id(boot, in: journal, JournalReader.subject(of: journal.location))
    }
    // A followed journal has to be read at once.
    let check =
      isFollowed ? JournalCheck() : try JournalCheck.run(journal, since: since, until: until, cursor: cursor)
    if !check.damaged.isEmpty { journal.location = .files(check.sound) }
    var reader: JournalReader?
    if check.damaged.isEmpty || !check.sound.isEmpty {
      reader = try JournalReader.open(
        journal, since: since, until: until, afterCursor: cursor, countsLines: filter.isEverything)
    }
    var records = JournalRecords(
      text: TextRecord(rules: rules, reference: LocalTime.now()), reader: reader,
      damaged: DamagedEntries(check.damaged), stop: isFollowed ? try signals() : nil)
    if let lines = journal.lines, cursor == nil, !filter.isEverything {
      try records.goBack(lines, notBefore: since, filter, attribution)
    }
    return records
  }

  /// Goes back from the end over the given number of records that `filter` selects. They are read again from there, so
  /// that nothing is kept, however many they are.
  private mutating func goBack(
    _ count: Int, notBefore since: Timestamp?, _ filter: SelectionFilter, _ attribution: Attribution?
  ) throws(JournalError) {
    var record = Record()
    var left = count
    while left > 0, try reader?.goBack(notBefore: since) ?? false {
      // Unreadable entries are reported when they are read again.
      guard let step = try? read(into: &record), case .record = step else { continue }
      let owner = attribution?.owner(of: &record, input: 0) ?? Owner(of: record)
      guard filter.selects(record, owner) else { continue }
      left -= 1
    }
  }

  private static func signals() throws(JournalError) -> StopSignals {
    do throws(SystemCallError) {
      return try StopSignals()
    } catch {
      throw JournalError(error.description)
    }
  }

  /// Entries and fields that could not be read.
  var gaps: UInt64 { mutating get { (reader?.gaps ?? 0) + damaged.gaps } }

  /// Known problems with the journal's files that were not returned before.
  mutating func takeFailures() -> [InputFailure] {
    guard let losses = reader?.takeLosses() else { return damaged.takeFailures() }
    var failures = damaged.takeFailures()
    failures += losses.dropped.map {
      InputFailure(
        "\($0): the journal file is damaged and libsystemd stopped reading it; read the rest with --journal-file \($0)"
      )
    }
    failures += losses.cut.map {
      InputFailure(
        "\($0): the journal file was truncated while it was read; records read before that are written; read the rest with --journal-file \($0)",
        isPartial: true)
    }
    hasToldOfFaults = hasToldOfFaults || !failures.isEmpty
    if reader?.hasMissedPages ?? false, !hasToldOfFaults {
      hasToldOfFaults = true
      failures.append(
        InputFailure(
          "journal: parts of a file could not be read: it was truncated, or its disk reports an error; see dmesg",
          isPartial: true))
    }
    return failures
  }

  /// Consumes the signal that ended the run.
  func takeSignal() { _ = stop?.next() }

  /// Whether libsystemd found damage after which it could continue.
  var isDamaged: Bool { mutating get { reader?.isDamaged ?? false } }

  /// The cursor up to which everything was read; nil while entries of damaged files remain.
  mutating func cursor() -> String? {
    let place = reader?.cursor ?? nil
    if damaged.isEmpty { return place }
    guard damaged.isAtEnd else { return nil }
    return [place, damaged.cursor].compactMap { $0 }
      .max { (JournalPlace($0)?.time ?? 0) < (JournalPlace($1)?.time ?? 0) }
  }

  enum Step {
    case record
    case problem(RecordProblem)
    /// As ``problem(_:)``, but the record was read as well as it can be, because the user wants it nevertheless.
    case flawed(RecordProblem)
    /// journald reports that it suppressed this many messages.
    case loss(UInt64)
    case end
  }

  mutating func next(into record: inout Record) throws(JournalError) -> Step {
    if isReaderDone { return nextOfDamaged(into: &record) }
    while try reader?.next() ?? false {
      line += 1
      let step: Step
      do throws(RecordProblem) {
        step = try read(into: &record)
      } catch {
        step = mend(error, &record)
      }
      // An entry whose bytes are missing must not be treated as what was logged.
      if reader?.isEntryLost() ?? false { continue }
      return step
    }
    if damaged.isEmpty { return .end }
    isReaderDone = true
    return nextOfDamaged(into: &record)
  }

  /// Reads the current entry once more, leniently, if the user wants records that the rules refuse.
  private mutating func mend(_ problem: RecordProblem, _ record: inout Record) -> Step {
    reader?.fields(&members, &record.arena)
    let time = time
    return Self.mend(problem, members, time, text.rules, &record)
  }

  private static func mend(
    _ problem: RecordProblem, _ fields: borrowing MemberList, _ time: Timestamp, _ rules: ReadingRules,
    _ record: inout Record
  ) -> Step {
    guard rules.keepsBadRecords else { return .problem(problem) }
    record.clearFields()
    record.marks = []
    var lenient = rules
    lenient.isStrict = false
    lenient.isLenient = true
    let text = TextRecord(rules: lenient, reference: time)
    do throws(RecordProblem) {
      try JournalEntry.read(fields, time: time, into: &record, text: text)
      return .flawed(problem)
    } catch {
      return .problem(problem)
    }
  }

  /// Reads the current entry.
  private mutating func read(into record: inout Record) throws(RecordProblem) -> Step {
    record.reset()
    record.line = line
    if try readWhole(&record) { return .record }
    if record.message.hasPrefix("Suppressed "), let count = lossReport(&record) { return .loss(count) }
    record.reset()
    record.line = line
    reader?.fields(&members, &record.arena)
    try JournalEntry.read(members, time: time, into: &record, text: text)
    return .record
  }

  private mutating func nextOfDamaged(into record: inout Record) -> Step {
    guard damaged.next() else { return .end }
    line += 1
    record.reset()
    record.line = line
    do throws(RecordProblem) {
      if let message = damaged.members.value(of: "MESSAGE") {
        if try readWhole(message, damaged.time, &record) { return .record }
        let loss = Self.lossReport(
          message, id: damaged.members.value(of: "MESSAGE_ID"), count: damaged.members.value(of: "N_DROPPED"))
        if let loss { return .loss(loss) }
      }
      record.reset()
      record.line = line
      try JournalEntry.read(damaged.members, time: damaged.time, into: &record, text: text)
      return .record
    } catch {
      return Self.mend(error, damaged.members, damaged.time, text.rules, &record)
    }
  }

  private var time: Timestamp { mutating get { Timestamp(microseconds: reader?.realtime ?? 0) } }

  /// Most messages of the Go runtime are whole records: then only the message is read.
  private mutating func readWhole(_ record: inout Record) throws(RecordProblem) -> Bool {
    guard let message = reader?.value(of: "MESSAGE", &record.arena) else { return false }
    return try readWhole(message, time, &record)
  }

  private func readWhole(
    _ message: ByteSlice, _ time: Timestamp, _ record: inout Record
  ) throws(RecordProblem) -> Bool {
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
    let id = reader?.value(of: "MESSAGE_ID", &record.arena)
    let count = reader?.value(of: "N_DROPPED", &record.arena)
    return Self.lossReport(record.message, id: id, count: count)
  }

  /// The number of messages that journald suppressed, if the entry reports that.
  private static func lossReport(_ message: ByteSlice, id: ByteSlice?, count: ByteSlice?) -> UInt64? {
    guard message.hasPrefix("Suppressed "), let id, id == JournalReader.lossReport else { return nil }
    if let count = count.flatMap({ DecimalNumber.parse($0) }), count > 0 { return UInt64(count) }
    var scanner = TextScanner(message.dropFirst(11))
    return UInt64(scanner.number(1, 18) ?? 0)
  }

  /// Waits for more entries, at most `patience` milliseconds if that is not negative.
  mutating func wait(_ patience: Int32) throws(JournalError) -> InputWait {
    guard let signals = stopDescriptor, !(reader?.isPastEnd ?? true) else { return .end }
    let mayHaveMore =
      try reader?.wait(orFor: FileDescriptor(borrowing: signals), patience: patience) ?? false
    return mayHaveMore ? .mayHaveMore : .stopped
  }
}
