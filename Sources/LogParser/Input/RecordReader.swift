import Bytes
import Glibc

/// Turns the lines of one input into records, whatever shape each of them has.
///
/// An input of the runtime's own logfmt is read by the rules of the log format's original tool, which takes a line that
/// it cannot read for an error. As soon as a line has another shape the input is a mixed one: from there on a line that
/// no format claims is kept as a raw record, with the time of its neighbours.
///
/// Here is the loop; what becomes of a line once a detector has claimed it is in `RecordReader+Claims.swift`.
package struct RecordReader: ~Copyable {
  package enum Outcome {
    /// A record was read.
    case record
    /// The record that begins at `line` cannot be read; the next ones can.
    case problem(RecordProblem, line: UInt64)
    /// As ``problem(_:line:)``, and the record was read as well as it can be, because the user wants it all the same.
    case flawed(RecordProblem, line: UInt64)
    /// As ``LineReader/Line/pause``.
    case pause
    case end
  }

  /// Lines that wait for a time are kept up to this many bytes.
  static let heldLimit = 1 << 20

  let format: InputFormat
  let rules: ReadingRules
  let logfmt: LogfmtRecord
  let reference: Timestamp
  let recordLimit: Int
  private let table: DetectorTable
  /// Whether the input may grow after its end was reached.
  private var isFollowed: Bool

  private var line: UInt64 = 0
  /// What became of lines that gave no record.
  var counts = LineCounts()
  var context: LineContext
  /// Whether a line of logfmt came before any other.
  var isLogfmt = false
  var lastTime: Timestamp?
  var held = HeldLines()
  var parts: PartialLines
  var entry: ExportEntry
  var cut = CutRecord()

  /// - Parameters:
  ///   - reference: when the input was last written: what times without a year are measured by, and the time of
  ///     records that have none and no neighbour that has.
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
    context = LineContext(text: TextRecord(rules: rules, reference: reference), isForced: format != .auto)
    parts = PartialLines(limit: recordLimit)
    entry = ExportEntry(limit: recordLimit)
  }

  /// Whether no line was read yet.
  var isUnused: Bool { line == 0 }
  /// The number of lines that were read.
  var lineCount: UInt64 { line }
  /// What the lines that were read so far became.
  package var lineCounts: LineCounts {
    var counts = counts
    counts.lines = line
    return counts
  }

  /// The input goes on no more, although it was followed: what is held back becomes records.
  mutating func endFollowing() { isFollowed = false }

  /// Reads the next record into `record`.
  package mutating func next(
    _ lines: inout LineReader, into record: inout Record
  ) -> Outcome {
    while true {
      if let waiting = held.nextToReplay() {
        let number = waiting.line
        if let outcome = handle(waiting.slice, number, &record) { return outcome }
        continue
      }
      if entry.isOpen {
        switch entry.read(&lines, &line) {
        case .complete: if let outcome = finishEntry(&record) { return outcome }
        case .problem(let problem): return refuseEntry(problem, &record)
        case .pause: return .pause
        case .end: return .end
        }
        continue
      }
      switch lines.next() {
      case .end:
        if isFollowed { return .end }
        if let outcome = finish(&record) { return outcome }
        if held.isReplaying { continue }
        return .end
      case .pause: return .pause
      case .tooLong(let count):
        line += 1
        return .problem(.tooLong(count, limit: recordLimit), line: line)
      case .text(let slice):
        line += 1
        if let outcome = handle(slice, line, &record) { return outcome }
      }
    }
  }

  /// What to do with the end of the input: whatever is still held becomes a record.
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

  /// Reads one line; nil when it gave no record by itself.
  private mutating func handle(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    record.reset()
    record.line = number
    if rules.isLenient, format == .logfmt || format == .auto && LogfmtRecord.begins(line) {
      return readLenientLogfmt(line, number, &record)
    }
    if format == .logfmt { return readLogfmt(line, number, &record) }
    if format == .auto, LogfmtRecord.begins(line) {
      let outcome = readLogfmt(line, number, &record)
      if !held.isEmpty, !held.isReplaying {
        held.append(line, number)
        decide(isMixed: context.isMixed, time: lastTime ?? reference)
        return nil
      }
      isLogfmt = true
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
      lastTime = record.time
      return .record
    } catch {
      return refuse(error, line, number, &record)
    }
  }

  /// Reads a line of pairs by the rules, and what these refuse as a person would.
  private mutating func readLenientLogfmt(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) -> Outcome? {
    do throws(RecordProblem) {
      try logfmt.parse(line, into: &record)
    } catch {
      record.reset()
      record.line = number
      let text = line.droppingLast(UInt8(ascii: "\r"))
      // A time somewhere in a line is not enough: it may be of another shape.
      guard LenientLogfmt.begins(text) else {
        return format == .auto ? readChecked(line, number, &record) : unclaimed(line, number, &record)
      }
      LenientLogfmt.read(text, into: &record, rules: rules)
    }
    return settle(line, number, &record)
  }

  /// Asks the detectors for a line that is not the runtime's logfmt.
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
    var row = 0
    switch try table.read(line, &context, into: &record, by: &row) {
    case .record: return take(whole, number, &record)
    case .passed: return unclaimed(whole, number, &record)
    case .nothing:
      context.isMixed = true
      counts.skipped += 1
      return nil
    case .raw:
      context.isMixed = true
      return unclaimed(whole, number, &record)
    case .part(let wrapper, let isPartial):
      guard try readPart(wrapper, isPartial: isPartial, number, &record) else { return nil }
      return take(whole, number, &record)
    case .cut(let head):
      cut.keep(line.prefix(head), number)
      _ = try context.claim(Wrapper(line.dropFirst(head)), &record)
      return take(whole, number, &record)
    case .entry:
      entry.open(line, number)
      return nil
    }
  }
}
