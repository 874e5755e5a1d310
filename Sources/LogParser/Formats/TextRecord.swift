import Bytes

/// What a text says that something else carries: a journal entry's message, the text behind a syslog prefix, a line of
/// a container's log, a line of a guest's console.
///
/// The carrier gives what the text leaves open (time, program, pid, level), so nothing is missing here that would make
/// the record an error; a text that is no record is a message.
struct TextRecord {
  enum Shape {
    /// A whole record: logfmt or JSON of a logger on the host.
    case logfmt, json
    /// The guest agent's record.
    case agent
    /// The guest's console: the kernel's line or another program's.
    case console
    /// A logger's line: klog's or one of ``LoggerText``.
    case klog
    /// Words.
    case plain

    /// Whether the text named all that a record has.
    var isWholeRecord: Bool { self == .logfmt || self == .json }
  }

  let rules: ReadingRules
  /// What a time without a year is measured by.
  let reference: Timestamp

  /// Reads the wrapper's payload into `record`, which must be empty, and completes it from the wrapper. The record has
  /// no time only if neither has one.
  ///
  /// - Parameter isNative: whether the payload is a message that has fields of its own beside it: then only what cannot
  ///   be anything else is taken for a console's line.
  func read(
    _ wrapper: Wrapper, isNative: Bool = false, into record: inout Record
  ) throws(RecordProblem) -> Shape {
    var text = wrapper.payload
    if text.hasSuffix("\n") { text = text.prefix(text.count - 1) }
    if text.hasSuffix("\r") { text = text.prefix(text.count - 1) }
    let shape = try readShape(text, isNative, into: &record, hasTime: wrapper.time != nil)
    complete(&record, wrapper, shape)
    return shape
  }

  private func complete(_ record: inout Record, _ wrapper: Wrapper, _ shape: Shape) {
    if let time = wrapper.time, record.time.isUnset { record.time = time }
    // A logger's text names its module, its carrier the program.
    if record.name.isEmpty || shape == .klog && !wrapper.identifier.isEmpty {
      record.name = wrapper.identifier
    }
    if record.pid == 0 { record.pid = wrapper.pid }
    if record.level.isEmpty { record.level = wrapper.level }
    if !wrapper.host.isEmpty { record.setField("host", wrapper.host) }
    if !wrapper.stream.isEmpty { record.setField("stream", wrapper.stream) }
    record.fields.sortKeepingLast()
  }

  private func readShape(
    _ text: ByteSlice, _ isNative: Bool, into record: inout Record, hasTime: Bool
  ) throws(RecordProblem) -> Shape {
    if let first = text.bytes.first, first == 0x7b, try readJSON(text, into: &record, hasTime: hasTime) {
      return record.fields.value(of: "ts") != nil || !hasTime && record.source == "agent" ? .agent : .json
    }
    if Self.looksLikeLogfmt(text), readLogfmt(text, into: &record) { return .logfmt }
    if rules.isLenient, LoggerText.read(text, into: &record) || AuditLine.read(text, into: &record) {
      return .klog
    }
    if let (klog, place) = KlogPrefix.read(text, reference: reference) {
      record.time = klog.time ?? .unset
      record.level = klog.level
      record.pid = klog.pid
      record.message = klog.payload
      record.source = place
      return .klog
    }
    if let literal = ConsoleText.rustLiteral(text, &record.arena) {
      return try readConsole(literal, into: &record, hasTime: hasTime)
    }
    let isConsole = KernelLine.stampLength(text) != nil || ConsoleText.hasControls(text)
    if KernelLine.hasAgentObject(text) || isConsole && !isNative {
      return try readConsole(text, into: &record, hasTime: hasTime)
    }
    if rules.isLenient, DatedLine.read(text, into: &record) { return .klog }
    record.message = text
    return .plain
  }

  /// Whether the text has the keys of a logfmt record: a time, or a level and a message.
  static func looksLikeLogfmt(_ text: ByteSlice) -> Bool {
    if text.hasPrefix("time=") { return true }
    guard let equals = text.firstIndex(of: 0x3d), equals > 0, equals < 64 else { return false }
    if let blank = text.firstIndex(of: 0x20), blank < equals { return false }
    if text.range(of: " time=") != nil { return true }
    return (text.hasPrefix("level=") || text.range(of: " level=") != nil)
      && (text.hasPrefix("msg=") || text.range(of: " msg=") != nil)
  }

  /// Reads logfmt with any time; false, with the record empty, when the text is none after all.
  private func readLogfmt(_ text: ByteSlice, into record: inout Record) -> Bool {
    do throws(RecordProblem) {
      var decoder = LogfmtDecoder(text)
      while let (key, value) = try decoder.next(&record.arena) {
        guard let known = KnownKey(key) else {
          record.setField(key, value)
          continue
        }
        let isTaken = record.set(known, value, leastPid: 0)
        if !isTaken, known == .time { throw RecordProblem("the time is malformed") }
        if !isTaken || known == .request { record.setField(key, value) }
      }
      record.fields.sortKeepingLast()
      if OwnLogfmt.isMarked(text) { OwnLogfmt.restore(&record) }
      if rules.unpacksAgent, AgentRecord.mayBeIn(record) { try AgentRecord.unpack(&record, rules: rules) }
      return true
    } catch {
      record.clearFields()
      // A value that does not end was cut by whoever limits the length of lines.
      if error.reason == "unterminated quoted value" { record.marks.insert(.isTruncated) }
      return false
    }
  }

  /// Reads a JSON record; false, with the record empty, when the text is none.
  private func readJSON(
    _ text: ByteSlice, into record: inout Record, hasTime: Bool
  ) throws(RecordProblem) -> Bool {
    guard let members = try? JSONMembers.flattened(text, &record.arena), JSONRecord.isRecord(members) else {
      return false
    }
    if !rules.unpacksAgent, JSONRecord.isAgent(members), hasTime { return false }
    do throws(RecordProblem) {
      try JSONRecord.read(members, into: &record, keepsAgentTime: hasTime && JSONRecord.isAgent(members))
      if rules.unpacksAgent, AgentRecord.mayBeIn(record) { try AgentRecord.unpack(&record, rules: rules) }
      return true
    } catch {
      if rules.isStrict { throw error }
      record.clearFields()
      record.marks.insert(.unpackFailed)
      return false
    }
  }

  /// Reads a line of a guest's console: the agent's record if it carries one, else its words without colours, with
  /// the line as it was in `console` where that is something else.
  func readConsole(
    _ line: ByteSlice, into record: inout Record, hasTime: Bool
  ) throws(RecordProblem) -> Shape {
    if rules.unpacksAgent, let object = KernelLine.anyAgentObject(in: line) {
      if try readJSON(object.text, into: &record, hasTime: hasTime) {
        let around = ConsoleText.display(line.prefix(object.start), &record.arena).trimmed
        if !around.isEmpty {
          record.setField("console", around)
          if let stamp = KernelLine.stamp(around) { record.setField("kernel_time", stamp) }
          record.fields.sortKeepingLast()
        }
        return .agent
      }
    }
    var text = ConsoleText.display(line, &record.arena)
    if text.count != line.count { record.setField("console", line) }
    if text.count > 3, text[0] == 0x3c, text[2] == 0x3e, text[1] &- 0x30 < 8 {
      record.level = Wrapper.level(ofSeverity: Int(text[1] &- 0x30))
      text = text.dropFirst(3)
    }
    if let length = KernelLine.stampLength(text) {
      if let stamp = KernelLine.stamp(text) { record.setField("kernel_time", stamp) }
      text = text.dropFirst(length)
      if let caller = KernelLine.caller(text) {
        record.setField("kernel_caller", caller)
        text = text.dropFirst(KernelLine.callerLength(text))
      }
      if text.hasPrefix(" ") { text = text.dropFirst(1) }
      record.name = record.arena.copy("kernel" as StaticString)
    }
    record.message = text
    record.source = AgentRecord.consoleSource
    record.fields.sortKeepingLast()
    return .console
  }
}
