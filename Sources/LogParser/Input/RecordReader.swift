import Bytes
import Glibc

/// Turns the lines of one input into records, whatever shape each of them has.
///
/// An input of the runtime's own logfmt is read by the rules of the log format's original tool, which takes a line that
/// it cannot read for an error. As soon as a line has another shape the input is a mixed one: from there on a line that
/// no format claims is kept as a raw record, with the time of its neighbours.
package struct RecordReader: ~Copyable {
  package enum Outcome {
    /// A record was read.
    case record
    /// The record that begins at `line` cannot be read; the next ones can.
    case problem(RecordProblem, line: UInt64)
    /// As ``LineReader/Line/pause``.
    case pause
    case end
  }

  /// Lines that wait for a time are kept up to this many bytes.
  static let heldLimit = 1 << 20

  private let format: InputFormat
  private let rules: ReadingRules
  private let logfmt: LogfmtRecord
  private let text: TextRecord
  private let reference: Timestamp
  private let recordLimit: Int
  /// Whether the input may grow after its end was reached.
  private var isFollowed: Bool

  private var line: UInt64 = 0
  private var isMixed = false
  private var isLogfmt = false
  private var lastTime: Timestamp?
  private var held = HeldLines()
  private var parts: PartialLines
  private var entry: ExportEntry
  /// The head of an agent's record that a kernel line cut in two, and the line on which it stands.
  private var head: HeldLines.Line?

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
    text = TextRecord(rules: rules, reference: reference)
    parts = PartialLines(limit: recordLimit)
    entry = ExportEntry(limit: recordLimit)
  }

  /// Whether no line was read yet.
  var isUnused: Bool { line == 0 }
  /// The number of lines that were read.
  var lineCount: UInt64 { line }

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
        case .problem(let problem): return .problem(problem, line: entry.firstLine)
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
        return .problem(Self.tooLong(count, limit: recordLimit), line: line)
      case .text(let slice):
        line += 1
        if let outcome = handle(slice, line, &record) { return outcome }
      }
    }
  }

  static func tooLong(_ count: Int, limit: Int) -> RecordProblem {
    RecordProblem(
      "a record of \(count) bytes is longer than the limit of \(limit) and was passed over",
      remedy: "raise it with --max-record-size", isOverLimit: true)
  }

  /// What to do with the end of the input: whatever is still held becomes a record.
  private mutating func finish(_ record: inout Record) -> Outcome? {
    if let cut = head {
      head = nil
      if let outcome = keepRaw(cut.slice, cut.line, &record, isCut: true) { return outcome }
    }
    switch parts.takeRest() {
    case .joined(let line, let first):
      var wrapper = first
      wrapper.payload = line.slice
      return readRest(wrapper, line.line, &record)
    case .tooLong(let count): return .problem(Self.tooLong(count, limit: recordLimit), line: line)
    case .waits, .single: break
    }
    if !held.isEmpty, !held.isReplaying { decide(isMixed: isMixed, time: reference) }
    return nil
  }

  /// Ends the waiting: from now on there is a time to inherit, or none is needed.
  private mutating func decide(isMixed: Bool, time: Timestamp) {
    if isMixed { self.isMixed = true } else { isLogfmt = true }
    if lastTime == nil { lastTime = time }
    held.replay()
  }

  /// Reads one line; nil when it gave no record by itself.
  private mutating func handle(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    record.reset()
    record.line = number
    if format == .logfmt { return readLogfmt(line, number, &record) }
    if format == .auto, line.hasPrefix("time=") || Self.hasLogfmtTime(line) {
      let outcome = readLogfmt(line, number, &record)
      if !held.isEmpty, !held.isReplaying {
        held.append(line, number)
        decide(isMixed: isMixed, time: lastTime ?? reference)
        return nil
      }
      isLogfmt = true
      return outcome
    }
    do throws(RecordProblem) {
      switch try readOther(line, number, &record) {
      case .record: return take(line, number, &record)
      case .nothing: return nil
      case .unclaimed: return unclaimed(line, number, &record)
      }
    } catch {
      isMixed = true
      return .problem(error, line: number)
    }
  }

  /// Whether a line of pairs has its time behind another one.
  private static func hasLogfmtTime(_ line: ByteSlice) -> Bool {
    guard let first = line.bytes.first, first | 0x20 &- 0x61 < 26, line.range(of: " time=") != nil else {
      return false
    }
    return TextRecord.looksLikeLogfmt(line)
  }

  private enum Claim { case record, nothing, unclaimed }

  private mutating func readLogfmt(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome {
    do throws(RecordProblem) {
      try logfmt.parse(line, into: &record)
      lastTime = record.time
      return .record
    } catch {
      return .problem(error, line: number)
    }
  }

  /// Tries the formats in the order of how sure their first bytes make them.
  private mutating func readOther(
    _ whole: ByteSlice, _ number: UInt64, _ record: inout Record
  ) throws(RecordProblem) -> Claim {
    let line = whole.hasSuffix("\r") ? whole.prefix(whole.count - 1) : whole
    guard let first = line.bytes.first else { return .unclaimed }
    if allows(.console), let claim = try continueCut(line, number, &record) { return claim }
    if first == 0x7b, let claim = try readObject(line, number, &record) { return claim }
    if first == 0x5f || format == .export, allows(.export),
      ExportEntry.begins(line, isForced: format == .export)
    {
      entry.open(line, number)
      return .nothing
    }
    if allows(.cri), first &- 0x30 < 10, let (wrapper, isPartial) = CRIPrefix.read(line) {
      return try readPart(wrapper, isPartial: isPartial, number, &record)
    }
    if allows(.syslog) || allows(.journalctl), let wrapper = SyslogPrefix.read(line, reference: reference) {
      return try claim(wrapper, &record)
    }
    if allows(.journalctl), line.hasPrefix("-- "), Self.isJournalctlMarker(line) {
      isMixed = true
      return .nothing
    }
    if format == .auto, KlogPrefix.read(line, reference: reference) != nil {
      var wrapper = Wrapper()
      wrapper.payload = line
      return try claim(wrapper, &record)
    }
    if allows(.console) {
      if try cutsAgentRecord(line, number, &record) { return .record }
      if format == .console || KernelLine.stampLength(line) != nil || line.contains(0x1b)
        || KernelLine.hasPriority(line) || KernelLine.hasAgentObject(line)
        || ConsoleText.rustLiteral(line, &record.arena) != nil
      {
        var wrapper = Wrapper()
        wrapper.payload = line
        if format == .console, KernelLine.stampLength(line) == nil, !KernelLine.hasAgentObject(line) {
          _ = try text.readConsole(line, into: &record, hasTime: false)
          return .record
        }
        return try claim(wrapper, &record)
      }
    }
    if isMixed, TextRecord.looksLikeLogfmt(line) {
      var wrapper = Wrapper()
      wrapper.payload = line
      return try claim(wrapper, &record)
    }
    return .unclaimed
  }

  @inline(__always)
  private func allows(_ shape: InputFormat) -> Bool { format == .auto || format == shape }

  private mutating func claim(_ wrapper: Wrapper, _ record: inout Record) throws(RecordProblem) -> Claim {
    _ = try text.read(wrapper, into: &record)
    return .record
  }

  /// Lines that journalctl writes about its own output.
  private static func isJournalctlMarker(_ line: ByteSlice) -> Bool {
    for start: StaticString in [
      "-- Boot ", "-- Reboot --", "-- Journal begins ", "-- Logs begin ", "-- No entries --", "-- cursor: ",
    ] where line.hasPrefix(start) {
      return true
    }
    return false
  }

  /// Reads a line that is a JSON object; nil when it is no object of a shape that is known.
  private mutating func readObject(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) throws(RecordProblem) -> Claim? {
    var isCut = false
    if allows(.json),
      line.range(of: "\"__REALTIME_TIMESTAMP\"") != nil || line.range(of: "\"MESSAGE\"") != nil,
      let members = try? JSONMembers.journalEntry(line, &record.arena, isCut: &isCut),
      members.value(of: "msg") == nil
    {
      try JournalEntry.read(members, into: &record, text: text)
      if isCut { record.marks.insert(.isTruncated) }
      return .record
    }
    guard let members = try? JSONMembers.flattened(line, &record.arena) else { return nil }
    if allows(.docker), let log = members.value(of: "log"), members.value(of: "msg") == nil {
      var wrapper = Wrapper()
      wrapper.payload = log
      wrapper.stream = members.value(of: "stream") ?? .empty
      if let time = members.value(of: "time") { wrapper.time = Timestamp.parse(field: time) }
      return try readPart(wrapper, isPartial: !log.hasSuffix("\n"), number, &record)
    }
    guard allows(.json) || allows(.console), JSONRecord.isRecord(members) else { return nil }
    do throws(RecordProblem) {
      try JSONRecord.read(members, into: &record, keepsAgentTime: false)
      if rules.unpacksAgent, AgentRecord.mayBeIn(record) { try AgentRecord.unpack(&record, rules: rules) }
      if record.time.isUnset {
        throw RecordProblem("the time is missing", remedy: "a record must have a time or ts")
      }
      try RecordCheck.check(record, allowsMissingFields: rules.allowsMissingFields)
    } catch {
      guard !rules.isStrict, KernelLine.firstStamp(in: line) != nil else { throw error }
      // The kernel wrote into the agent's record, and nothing tells where its words end.
      isMixed = true
      return .unclaimed
    }
    return .record
  }

  /// A record was read: it is ready unless it has no time yet.
  private mutating func take(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    isMixed = true
    if record.time.isUnset {
      guard let lastTime else { return hold(line, number) }
      inherit(lastTime, &record)
      return .record
    }
    if !held.isEmpty, !held.isReplaying {
      held.append(line, number)
      decide(isMixed: true, time: record.time)
      return nil
    }
    lastTime = record.time
    return .record
  }

  private func inherit(_ time: Timestamp, _ record: inout Record) {
    record.time = time
    record.marks.insert(.timeIsInherited)
    record.setField("kata-log-parser-time-inherited", record.arena.copy("true" as StaticString))
    record.fields.sortKeepingLast()
  }

  private mutating func hold(_ line: ByteSlice, _ number: UInt64) -> Outcome? {
    held.append(line, number)
    if held.byteCount > Self.heldLimit { decide(isMixed: isMixed, time: reference) }
    return nil
  }

  /// A line that no format claims.
  private mutating func unclaimed(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    if isMixed || format != .auto {
      if line.trimmed.isEmpty { return nil }
      return keepRaw(line, number, &record)
    }
    if isLogfmt { return readLogfmt(line, number, &record) }
    return hold(line, number)
  }

  private mutating func keepRaw(
    _ whole: ByteSlice, _ number: UInt64, _ record: inout Record, isCut: Bool = false
  ) -> Outcome? {
    if rules.isStrict {
      return .problem(
        RecordProblem("no log format has lines like this", remedy: "leave out --strict to keep it as it is"),
        line: number)
    }
    guard let lastTime else { return hold(whole, number) }
    let line = whole.hasSuffix("\r") ? whole.prefix(whole.count - 1) : whole
    record.reset()
    record.line = number
    record.message = record.arena.copy(ConsoleText.display(line, &record.arena))
    if record.message.count != line.count { record.setField("console", record.arena.copy(line)) }
    record.marks.insert(.isRaw)
    if isCut { record.marks.insert(.isTruncated) }
    record.setField("kata-log-parser-raw", record.arena.copy("true" as StaticString))
    inherit(lastTime, &record)
    return .record
  }

  /// A line of a container's log, which may be a part of one.
  private mutating func readPart(
    _ wrapper: Wrapper, isPartial: Bool, _ number: UInt64, _ record: inout Record
  ) throws(RecordProblem) -> Claim {
    isMixed = true
    switch parts.add(wrapper, isPartial: isPartial, line: number) {
    case .waits: return .nothing
    case .single: return try claim(wrapper, &record)
    case .joined(let line, let first):
      record.line = line.line
      var whole = first
      whole.payload = record.arena.copy(line.slice)
      return try claim(whole, &record)
    case .tooLong(let count): throw Self.tooLong(count, limit: recordLimit)
    }
  }

  /// Reads the parts of a line whose last part never came.
  private mutating func readRest(_ wrapper: Wrapper, _ number: UInt64, _ record: inout Record) -> Outcome {
    record.reset()
    record.line = number
    do throws(RecordProblem) {
      var copy = wrapper
      copy.payload = record.arena.copy(wrapper.payload)
      _ = try text.read(copy, into: &record)
      record.marks.insert(.isTruncated)
      if record.time.isUnset { inherit(lastTime ?? reference, &record) }
      return .record
    } catch {
      return .problem(error, line: number)
    }
  }

  private mutating func finishEntry(_ record: inout Record) -> Outcome? {
    isMixed = true
    record.reset()
    record.line = entry.firstLine
    do throws(RecordProblem) {
      try entry.withFields { (fields) throws(RecordProblem) in
        try JournalEntry.read(fields, into: &record, text: text)
      }
      if entry.isCut { record.marks.insert(.isTruncated) }
      if record.time.isUnset { inherit(lastTime ?? reference, &record) }
      lastTime = record.time
      return .record
    } catch {
      return .problem(error, line: entry.firstLine)
    }
  }

  /// A line of the agent's that does not end because a kernel line was written into it: the kernel's half becomes the
  /// record, and the agent's half waits for the rest, which begins the next line.
  private mutating func cutsAgentRecord(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) throws(RecordProblem) -> Bool {
    // Before any time is known all lines wait, and are read when it is.
    guard rules.unpacksAgent, lastTime != nil, line.hasPrefix("{\""), KernelLine.hasAgentObject(line),
      head == nil,
      let stamp = KernelLine.firstStamp(in: line)
    else { return false }
    head = HeldLines.Line(line.prefix(stamp), number)
    var wrapper = Wrapper()
    wrapper.payload = line.dropFirst(stamp)
    _ = try text.read(wrapper, into: &record)
    return true
  }

  /// The line that follows a cut one: with the head before it, it is the agent's record. Otherwise the head is kept as
  /// a raw record when the next one is due.
  private mutating func continueCut(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) throws(RecordProblem) -> Claim? {
    guard let cut = head else { return nil }
    // More kernel lines may stand between the halves.
    if KernelLine.stampLength(line) != nil, number &- cut.line < 16 { return nil }
    head = nil
    let whole = cut.joined(with: line, &record.arena)
    if let members = try? JSONMembers.flattened(whole, &record.arena), JSONRecord.isRecord(members) {
      try JSONRecord.read(members, into: &record, keepsAgentTime: false)
      record.line = cut.line
      return .record
    }
    let isHeadKept = keepRaw(cut.slice, cut.line, &record, isCut: true) != nil
    held.replayNext(line, number)
    return isHeadKept ? .record : .nothing
  }
}
