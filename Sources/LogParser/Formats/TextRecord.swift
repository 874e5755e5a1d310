import Bytes

/// Reads text that something else carries: a journal entry's message, the text after a syslog prefix, a line of a
/// container's log, a line of a guest's console.
///
/// The carrier supplies what the text lacks (time, program, pid, level), so nothing missing here is an error; text that
/// is not a record is a message.
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
    /// Plain text.
    case plain

    /// Whether the text has all parts of a record.
    var isWholeRecord: Bool { self == .logfmt || self == .json }
  }

  let rules: ReadingRules
  /// Completes times without a year or zone.
  let clock: LineClock

  /// - Parameter reference: when the input was last changed.
  init(rules: ReadingRules, reference: Timestamp) {
    self.rules = rules
    clock = LineClock(reference: reference, firstYear: rules.year)
  }

  /// Reads the wrapper's payload into `record`, which must be empty, and completes it from the wrapper. The record
  /// lacks a time only if neither has one.
  ///
  /// - Parameter isNative: whether the payload is a message with separate fields: then only text that cannot be
  ///   anything else is read as a console line.
  func read(
    _ wrapper: Wrapper, isNative: Bool = false, into record: inout Record
  ) throws(RecordProblem) -> Shape {
    var wrapper = wrapper
    peel(&wrapper, isNative)
    let shape = try readShape(wrapper, isNative, into: &record)
    complete(&record, wrapper, shape)
    return shape
  }

  /// The maximum number of wrappers that are removed from one line.
  private static let wrapperLimit = 6

  /// Removes the wrappers at the start of the payload, and its line end.
  private func peel(_ wrapper: inout Wrapper, _ isNative: Bool) {
    wrapper.payload = wrapper.payload.droppingLast(UInt8(ascii: "\n")).droppingLast(UInt8(ascii: "\r"))
    if isNative { return }
    for _ in 0..<Self.wrapperLimit {
      guard let first = wrapper.payload.bytes.first, first != UInt8(ascii: "t"), first != UInt8(ascii: "{"),
        let inner = inner(wrapper.payload, first, hasTag: !wrapper.identifier.isEmpty)
      else { return }
      wrapper.unwrap(inner)
    }
  }

  private func inner(_ text: ByteSlice, _ first: UInt8, hasTag: Bool) -> Wrapper? {
    if first == UInt8(ascii: "[") { return KubectlPrefix.readPod(text) }
    if first.isDigit {
      if let (wrapper, isPartial) = CRIPrefix.read(text), !isPartial { return wrapper }
      if let wrapper = KubectlPrefix.readTime(text) { return wrapper }
    }
    // The kernel's priority before its timestamp is read with the timestamp.
    if first == UInt8(ascii: "<"), KernelLine.hasPriorityAndStamp(text) { return nil }
    if let wrapper = SyslogPrefix.read(text, clock: clock) { return wrapper }
    return hasTag ? nil : ProcessTag.readBare(text)
  }

  private func complete(_ record: inout Record, _ wrapper: Wrapper, _ shape: Shape) {
    if let time = wrapper.time {
      if record.time.isUnset {
        record.time = time
      } else {
        record.observed = time
        if LineClock.areYearsApart(time, record.time), rules.isLenient, record.source != "agent" {
          clock.learn(from: record.time, stamped: time)
        }
      }
    }
    // A logger's text names its module, its carrier the program.
    if record.name.isEmpty || shape == .klog && !wrapper.identifier.isEmpty {
      record.name = wrapper.identifier
    }
    if record.pid == 0 || shape == .klog && wrapper.pid > 0 { record.pid = wrapper.pid }
    if record.level.isEmpty { record.level = wrapper.level }
    if !wrapper.host.isEmpty { record.setFieldKeeping("host", wrapper.host) }
    if !wrapper.stream.isEmpty { record.setFieldKeeping("stream", wrapper.stream) }
    if !wrapper.unit.isEmpty { record.setFieldKeeping("unit", wrapper.unit) }
    if !wrapper.monotonic.isEmpty {
      record.setFieldKeeping(wrapper.isHostKernel ? "kernel_time" : "monotonic", wrapper.monotonic)
    }
    if !wrapper.pod.isEmpty {
      record.setFieldKeeping("pod", wrapper.pod)
      record.setFieldKeeping("container_name", wrapper.podContainer)
    }
    if rules.isLenient, record.name.hasPrefix("/runtime.") { nameOfCaller(&record, wrapper) }
    record.fields.sortKeepingLast()
  }

  /// CRI-O writes the current call as its name, so the program's name is taken from the wrapper.
  private func nameOfCaller(_ record: inout Record, _ wrapper: Wrapper) {
    guard !wrapper.identifier.isEmpty else { return }
    record.setFieldKeeping("rpc", record.name)
    record.name = wrapper.identifier
  }

  private func readShape(
    _ wrapper: Wrapper, _ isNative: Bool, into record: inout Record
  ) throws(RecordProblem) -> Shape {
    let text = wrapper.payload
    let hasTime = wrapper.time != nil
    let first = text.bytes.first ?? 0
    if first == 0x7b, try readJSON(text, into: &record, hasTime: hasTime) {
      return record.fields.value(of: "ts") != nil || !hasTime && record.source == "agent" ? .agent : .json
    }
    if Self.looksLikeLogfmt(text), try readLogfmt(text, into: &record) { return .logfmt }
    if rules.isLenient,
      !wrapper.isHostKernel && LoggerText.read(text, into: &record) || AuditLine.read(text, into: &record)
        || wrapper.identifier == "audit" && AuditLine.readTagged(text, into: &record)
    {
      return .klog
    }
    if let (klog, place) = KlogPrefix.read(text, clock: clock) {
      KlogPrefix.fill(&record, klog, place, hasFields: rules.isLenient)
      return .klog
    }
    if wrapper.isHostKernel || wrapper.identifier == "conmon" {
      if try readPayload(text, first, into: &record) { return .plain }
      if wrapper.isHostKernel {
        KernelLine.readOfHost(text, into: &record)
      } else {
        Conmon.read(text, into: &record)
      }
      return .plain
    }
    if let message = RustMessage(text, mayBeBare: wrapper.identifier == "kata", &record.arena) {
      return try read(message, into: &record, hasTime: hasTime)
    }
    if !isNative, try readPayload(text, first, into: &record) { return .plain }
    let isConsole = KernelLine.stampLength(text) != nil || ConsoleText.hasControls(text)
    if KernelLine.hasAgentObject(text) || isConsole && !isNative {
      return try readConsole(text, into: &record, hasTime: hasTime)
    }
    if rules.isLenient, DatedLine.read(text, into: &record) { return .klog }
    record.message = text
    return .plain
  }

  private static let payloads = DetectorTable(.auto, rows: DetectorTable.payloads)

  /// Tries the formats of other programs on the text that a wrapper carries.
  private func readPayload(_ text: ByteSlice, _ first: UInt8, into record: inout Record) throws(RecordProblem)
    -> Bool
  {
    guard Self.payloads.mayHave(first) else { return false }
    var context = LineContext(text: self, isForced: false)
    var row = 0
    guard case .record = try Self.payloads.read(text, &context, into: &record, by: &row) else { return false }
    return true
  }

  private func read(_ message: RustMessage, into record: inout Record, hasTime: Bool) throws(RecordProblem)
    -> Shape
  {
    switch message {
    case .console(let line): return try readConsole(line, into: &record, hasTime: hasTime)
    case .helper(let name, let line):
      // A hypervisor's text is unchanged; only its level is taken.
      let head = LoggerHead(line)
      let isHelper = name == .virtiofsd || name == .nydusd
      record.level = head?.level ?? .empty
      record.message = isHelper ? head?.text ?? line : line
      record.source = record.arena.copy(name.text)
      if isHelper { record.name = record.source }
      return .console
    case .panic(let text):
      record.message = text
      return .plain
    }
  }

  /// Whether the text has the keys of a logfmt record: a time, or a level and a message.
  static func looksLikeLogfmt(_ text: ByteSlice) -> Bool {
    if text.hasPrefix("time=") { return true }
    guard let equals = text.firstIndex(of: 0x3d), equals > 0, equals < 64, !isQuote(text[0]) else {
      return false
    }
    if let blank = text.firstIndex(of: 0x20), blank < equals { return false }
    if text.range(of: " time=") != nil { return true }
    return (text.hasPrefix("level=") || text.range(of: " level=") != nil)
      && (text.hasPrefix("msg=") || text.range(of: " msg=") != nil)
  }

  /// Whether a byte begins a quotation, straight or curled, or a bracket: a key begins with anything else.
  private static func isQuote(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "("), UInt8(ascii: "{"), 0xe2:
      true
    default: false
    }
  }

  /// Reads logfmt with any time; false, with the record empty, if the text is not logfmt after all.
  private func readLogfmt(_ text: ByteSlice, into record: inout Record) throws(RecordProblem) -> Bool {
    do throws(RecordProblem) {
      try readPairs(text, into: &record)
      if rules.isLenient || rules.isStrict {
        if let key = record.fields.sort() { throw LogfmtRecord.repetition(of: key, column: 0) }
      }
      record.fields.sortKeepingLast()
      if OwnLogfmt.isMarked(text) { OwnLogfmt.restore(&record) }
      if rules.unpacksAgent, AgentRecord.mayBeIn(record, rules) {
        try AgentRecord.unpack(&record, rules: rules)
      }
      return true
    } catch {
      record.clearFields()
      if rules.isLenient || rules.isStrict, LenientLogfmt.begins(text) {
        if rules.isStrict { throw error }
        LenientLogfmt.read(text, into: &record, rules: rules)
        return true
      }
      // A value without its closing quote was cut off by a limit on the length of lines.
      if error.reason == "unterminated quoted value" { record.marks.insert(.isTruncated) }
      return false
    }
  }

  private func readPairs(_ text: ByteSlice, into record: inout Record) throws(RecordProblem) {
    var seen = LogfmtRecord.OwnKeys()
    record.scratch.index.find(in: text, endsAtLineFeed: false)
    var plain = LogfmtRecord.PlainPairs(text)
    while let (key, value, column) = plain.next(record.scratch.index) {
      try assign(key, value, column: column, &seen, to: &record)
    }
    if plain.rest == text.count, !text.isEmpty { return }
    var decoder = LogfmtDecoder(text, from: plain.rest)
    while let (key, value) = try decoder.next(&record.arena) {
      try assign(key, value, column: decoder.column, &seen, to: &record)
    }
    if rules.isLenient, decoder.hasBareKey { throw LogfmtRecord.bareWord }
  }

  private func assign(
    _ key: ByteSlice, _ value: ByteSlice, column: Int, _ seen: inout LogfmtRecord.OwnKeys,
    to record: inout Record
  ) throws(RecordProblem) {
    guard let known = KnownKey(key) else {
      if record.fields.add(key, value) { return }
      if rules.isLenient || rules.isStrict { throw LogfmtRecord.repetition(of: key, column: column) }
      record.fields.set(key, value)
      return
    }
    if !seen.insert(known), rules.isLenient { throw LogfmtRecord.repetition(of: key, column: column) }
    if known == .time {
      guard record.setCachedTime(value) else { throw RecordProblem("the time is malformed") }
      return
    }
    let isTaken = record.set(known, value, leastPid: 0)
    if !isTaken || known == .request { record.setField(key, value) }
  }

  /// Reads a JSON record; false, with the record empty, when the text is none.
  private func readJSON(
    _ text: ByteSlice, into record: inout Record, hasTime: Bool
  ) throws(RecordProblem) -> Bool {
    guard let members = try? JSONMembers.flattened(text, &record.arena) else { return false }
    if rules.isLenient { return try readLoosely(members, into: &record, hasTime: hasTime) }
    guard JSONRecord.isRecord(members) else { return false }
    if !rules.unpacksAgent, JSONRecord.isAgent(members), hasTime { return false }
    do throws(RecordProblem) {
      try JSONRecord.read(members, into: &record, keepsAgentTime: hasTime && JSONRecord.isAgent(members))
      if rules.unpacksAgent, AgentRecord.mayBeIn(record, rules) {
        try AgentRecord.unpack(&record, rules: rules)
      }
      return true
    } catch {
      if rules.isStrict { throw error }
      record.clearFields()
      record.marks.insert(.unpackFailed)
      return false
    }
  }

  private func readLoosely(
    _ members: borrowing MemberList, into record: inout Record, hasTime: Bool
  ) throws(RecordProblem) -> Bool {
    let names = LooseJSON.Names(members)
    guard names.isRecord else { return false }
    let isAgent = JSONRecord.isAgent(members)
    if isAgent, !rules.unpacksAgent, hasTime { return false }
    LooseJSON.read(members, names, into: &record, keepsTime: hasTime && isAgent)
    completeRuntime(&record)
    if rules.unpacksAgent, AgentRecord.mayBeIn(record, rules) {
      try AgentRecord.unpack(&record, rules: rules)
    }
    return true
  }

  /// Reads a line of a guest's console: the agent's record if it carries one, otherwise its text without colours, with
  /// the original line in `console` if that differs.
  func readConsole(
    _ line: ByteSlice, into record: inout Record, hasTime: Bool
  ) throws(RecordProblem) -> Shape {
    if rules.unpacksAgent, let object = KernelLine.anyAgentObject(in: line) {
      if try readJSON(object.text, into: &record, hasTime: hasTime) {
        let around = ConsoleText.display(line.prefix(object.start), &record.arena).trimmed
        if !around.isEmpty {
          record.setFieldKeeping("console", around)
          if let stamp = KernelLine.stamp(around) { record.setFieldKeeping("kernel_time", stamp) }
        }
        let after = line.dropFirst(object.start + object.text.count).trimmed
        if rules.isLenient, !after.isEmpty { record.setFieldKeeping("suffix", record.arena.copy(after)) }
        record.fields.sortKeepingLast()
        return .agent
      }
    }
    var text = ConsoleText.display(line, &record.arena)
    if text.count != line.count { record.setField("console", line) }
    if text.count > 3, text[0] == 0x3c, text[2] == 0x3e, (0x30...0x37).contains(text[1]) {
      record.level = Wrapper.level(ofSeverity: Int(text[1] - 0x30))
      text = text.dropFirst(3)
    }
    if KernelLine.stampLength(text) != nil {
      text = KernelLine.takeStamp(text, into: &record)
      record.name = record.arena.copy("kernel" as StaticString)
    } else if let head = LoggerHead(text) {
      // The rest of the prefix is in the line.
      record.setField("console", line)
      record.level = head.level
      text = head.text
    }
    record.message = text
    record.source = AgentRecord.consoleSource
    record.fields.sortKeepingLast()
    return .console
  }
}
