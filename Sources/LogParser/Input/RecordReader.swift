import Bytes
import Glibc

/// Turns the lines of one input into records, whatever format each line has.
///
/// An input in the runtime's own logfmt is read by the rules of the Go tool, which treats an unreadable line as an
/// error. Once a line has another format, the input is mixed: from then on a line that matches no format is kept as a
/// raw record, with the time of its neighbours.
///
/// This file has the loop; `RecordReader+Claims.swift` handles a line once a detector has claimed it.
package struct RecordReader: ~Copyable {
  package enum Outcome {
    /// A record was read.
    case record
    /// The record that begins at `line` cannot be read; the next ones can.
    case problem(RecordProblem, line: UInt64)
    /// As ``problem(_:line:)``, but the record was read as well as it can be, because the user wants it nevertheless.
    case flawed(RecordProblem, line: UInt64)
    /// As ``LineReader/Line/pause``.
    case pause
    case end
  }

  /// The maximum size of lines that wait for a time.
  static let heldLimit = 1 << 20
  /// So much of an input is looked through before its first line is read.
  static let lookAheadLimit = 64 << 10

  let format: InputFormat
  let rules: ReadingRules
  let logfmt: LogfmtRecord
  let reference: Timestamp
  let recordLimit: Int
  let table: DetectorTable
  /// Whether the input may grow after its end was reached.
  private(set) var isFollowed: Bool

  private var line: UInt64 = 0
  /// What became of lines that produced no record.
  var counts = LineCounts()
  /// The row that read the last line; nil for the runtime's logfmt.
  private var lastRow: Int?
  var context: LineContext
  /// The one in ``context``.
  private let clock: LineClock
  /// Whether a line of logfmt came before any other.
  var isLogfmt = false
  var lastTime: Timestamp?
  /// Whether that is the guest's own: its clock says nothing of the host's.
  var lastIsGuests = false
  var held = HeldLines()
  var parts: PartialLines
  var entry: ExportEntry
  var cut = CutRecord()
  /// Whether something other than the input's next line may have to be read, or a line may belong to an earlier one.
  var isBusy = false
  /// Whether a block is open, or what followed one was not returned yet.
  var hasBlock = false
  /// The lines of an object that turned out not to be one.
  var replay = ReplayQueue()
  /// Objects whose lines were joined.
  var objects = ReplayQueue()
  var object = JSONBlock()
  var wrapped = WrappedLine()
  /// The line that is read instead of the pasted one, and the one that a record borrows from.
  var repair: HeldLines.Line?
  /// The whole pasted line, while the record in it is read: it is what waits for a time.
  var pasted: ByteSlice?
  var keptRepair: HeldLines.Line?
  /// The line of an object that was cut off and whose rest is being read.
  var cutLine: UInt64 = 0
  /// Whether the line that is being read was joined from several, and the last joined line that was read as an object again.
  var isJoined = false
  var joinedLine: UInt64 = 0
  /// The last line of an object without an end: no new object begins before it.
  var brokenLine: UInt64 = 0
  var block = RecordBlock()
  /// The kind of block that the last record begins, if any.
  var opening: BlockKind?
  /// Whether it may go on behind a blank line, or in lines that are not set in.
  var openingHasStack = false
  /// The same of the record that waits behind a block.
  var waitingKind: BlockKind?
  /// The length of the carrier's prefix on the last line.
  var indentation = 0
  /// Lines that only a guest's console has, and lines that only a host writes.
  var consoleCount: UInt64 = 0
  var hostCount: UInt64 = 0
  /// Lines that are part of a record that began on another line.
  var joinedLineCount: UInt64 = 0

  /// - Parameters:
  ///   - reference: when the input was last changed: the reference for times without a year, and the time of records
  ///     for which no neighbour has one either.
  package init(
    format: InputFormat, rules: ReadingRules, reference: Timestamp, recordLimit: Int, isFollowed: Bool = false
  ) {
    self.isFollowed = isFollowed
    self.format = format
    self.rules = rules
    self.reference = reference
    self.recordLimit = recordLimit
    logfmt = LogfmtRecord(rules: rules)
    table = DetectorTable(format)
    let text = TextRecord(rules: rules, reference: reference)
    clock = text.clock
    context = LineContext(text: text, isForced: format != .auto)
    parts = PartialLines(limit: recordLimit)
    entry = ExportEntry(limit: recordLimit)
  }

  /// Whether no line was read yet.
  var isUnused: Bool { line == 0 }
  /// The format of the last line: the folder in `formats/input` that specifies it.
  var shape: String { lastRow.map { DetectorTable.rows[$0].shape } ?? "logfmt" }
  /// The number of lines that were read.
  var lineCount: UInt64 { line }
  /// What the lines that were read so far became.
  package var lineCounts: LineCounts {
    var counts = counts
    counts.lines = line
    return counts
  }

  /// Ends a followed input: lines that are held back become records.
  mutating func endFollowing() { isFollowed = false }

  /// Whether a record of several lines waits for the next of them.
  var holdsBlock: Bool { block.isOpen || object.isOpen }

  /// Reads the next record into `record`.
  package mutating func next(
    _ lines: inout LineReader, into record: inout Record
  ) -> Outcome {
    if hasBlock { return nextOfBlock(&lines, into: &record) }
    return nextSingle(&lines, into: &record)
  }

  /// Reads the next record into `record`, including further lines that belong to it if no block is open yet.
  mutating func nextSingle(
    _ lines: inout LineReader, into record: inout Record
  ) -> Outcome {
    while true {
      if isBusy {
        if let outcome = readWaiting(lines, &record) { return joined(outcome, &lines, &record) }
        if isBusy, !objects.isEmpty || !replay.isEmpty || held.isReplaying { continue }
      } else if let waiting = held.nextToReplay() {
        let number = waiting.line
        if let outcome = handle(waiting.slice, number, &record) { return joined(outcome, &lines, &record) }
        continue
      }
      if entry.isOpen {
        switch entry.read(&lines, &line) {
        case .complete: if let outcome = finishEntry(&record) { return outcome }
        case .completeBefore(let next):
          let outcome = finishEntry(&record)
          line += 1
          held.replayNext(next, line)
          if let outcome { return outcome }
        case .problem(let problem): return refuseEntry(problem, &record)
        case .pause: return .pause
        case .end: return .end
        }
        continue
      }
      switch lines.next() {
      case .end:
        if isFollowed, !closeLate() { return .end }
        if wrapped.isOpen {
          closeWrapped()
        } else if object.isOpen {
          giveUpObject()
        } else if let outcome = finish(&record) {
          return outcome
        } else if !held.isReplaying, replay.isEmpty, objects.isEmpty {
          return .end
        }
      case .pause: if !closeLate() { return .pause }
      case .tooLong(let count):
        line += 1
        return .problem(.tooLong(count, limit: recordLimit), line: line)
      case .text(let slice):
        line += 1
        if line == 1, rules.isLenient { lookAhead(from: slice, lines) }
        let isWrapped = mayBeWrapped(slice, line, lines)
        guard isBusy || isWrapped else {
          if let outcome = handle(slice, line, &record) {
            if opening == nil { return outcome }
            return joined(outcome, &lines, &record)
          }
          continue
        }
        if let outcome = readNext(slice, line, &record, isWrapped: isWrapped) {
          return joined(outcome, &lines, &record)
        }
      }
    }
  }

  /// Handles the end of the input: whatever is still held becomes a record.
  private mutating func finish(_ record: inout Record) -> Outcome? {
    if let head = cut.take(), let outcome = keepRaw(head.slice, head.line, &record, isCut: true) {
      return outcome
    }
    switch parts.takeRest() {
    case .joined(let line, let first):
      var wrapper = first
      wrapper.payload = line.slice
      return readRest(wrapper, line.line, &record)
    case .tooLong(let count): return .problem(.tooLong(count, limit: recordLimit), line: line)
    case .waits, .single: break
    }
    if !held.isEmpty, !held.isReplaying { decide(isMixed: context.isMixed, time: reference) }
    return nil
  }

  /// Reads one line; nil if it produced no record by itself.
  mutating func handle(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    record.reset()
    record.line = number
    let isOwn = format == .auto && LogfmtRecord.begins(line)
    if rules.isLenient, isOwn || format == .logfmt { return readLenientLogfmt(line, number, &record) }
    if format == .logfmt { return readLogfmt(line, number, &record) }
    if isOwn {
      let outcome = readLogfmt(line, number, &record)
      hostCount += 1
      // An unreadable line is already waiting.
      if outcome != nil, !held.isEmpty, !held.isReplaying {
        held.append(line, number)
        decide(isMixed: context.isMixed, time: lastTime ?? reference)
        return nil
      }
      if outcome != nil { isLogfmt = true }
      return outcome
    }
    return readChecked(line, number, &record)
  }

  /// Reads a line that is not the runtime's logfmt.
  private mutating func readChecked(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) -> Outcome? {
    do throws(RecordProblem) {
      return try readOther(line, number, &record)
    } catch {
      context.isMixed = true
      return rules.isLenient ? keepRaw(line, number, &record) : refuse(error, line, number, &record)
    }
  }

  mutating func readLogfmt(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    do throws(RecordProblem) {
      try logfmt.parse(line, into: &record)
      lastRow = nil
      lastTime = record.time
      return .record
    } catch {
      return refuse(error, line, number, &record)
    }
  }

  /// Reads a line of pairs by the rules or, if they refuse it, as a person would.
  private mutating func readLenientLogfmt(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) -> Outcome? {
    do throws(RecordProblem) {
      try logfmt.parse(line, into: &record)
    } catch {
      record.reset()
      record.line = number
      let text = line.droppingLast(UInt8(ascii: "\r"))
      // A time somewhere in a line is not enough: it may have another format.
      guard LenientLogfmt.begins(text) else {
        return format == .auto ? readChecked(line, number, &record) : unclaimed(line, number, &record)
      }
      LenientLogfmt.read(text, into: &record, rules: rules)
    }
    lastRow = nil
    hostCount += 1
    return settle(line, number, &record)
  }

  /// Tries the detectors on a line that is not the runtime's logfmt.
  private mutating func readOther(
    _ whole: ByteSlice, _ number: UInt64, _ record: inout Record
  ) throws(RecordProblem) -> Outcome? {
    let line = whole.droppingLast(UInt8(ascii: "\r"))
    if line.isEmpty { return unclaimed(whole, number, &record) }
    switch try cut.join(line, number, into: &record) {
    case .none: break
    case .joined: return take(whole, number, &record)
    case .broken(let head): return giveUp(head, line, number, &record)
    }
    context.keepsHeads = lastTime != nil && cut.isEmpty
    if rules.isLenient { clock.neighbour = lastIsGuests ? nil : lastTime }
    var row = 0
    defer { lastRow = row }
    switch try table.read(line, &context, into: &record, by: &row) {
    case .record: return take(whole, number, &record, by: row)
    case .passed: return unclaimed(whole, number, &record)
    case .nothing:
      context.isMixed = true
      counts.skipped += 1
      return nil
    case .raw:
      context.isMixed = true
      return unclaimed(whole, number, &record)
    case .part(let isPartial):
      guard try readPart(context.part, isPartial: isPartial, number, &record) else { return nil }
      return take(whole, number, &record)
    case .cut(let head):
      cut.keep(line.prefix(head), number)
      _ = try context.claim(Wrapper(line.dropFirst(head)), &record)
      return take(whole, number, &record)
    case .object: return openObject(line, number, &record)
    case .entry:
      entry.open(line, number, context.text.clock)
      return nil
    }
  }
}
