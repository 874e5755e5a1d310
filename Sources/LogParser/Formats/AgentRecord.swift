import Bytes
import Glibc

/// The guest agent's own record, which reaches the host inside one of the runtime's.
///
/// The runtime of Kata 2 and later logs what the guest's console prints as `msg="reading guest console" vmconsole=…`,
/// where the agent's lines are JSON. The proxy of Kata 1 logged the agent's logfmt as its own message.
enum AgentRecord {
  @inline(__always)
  static func mayBeIn(_ record: borrowing Record) -> Bool {
    // Most records come from neither source, or say something else: decide on the length first.
    let source = record.source
    guard source.count == 5 || source.count == 14 else { return false }
    guard source == "agent" || source == "virtcontainers" else { return false }
    if record.message.count == 21, record.message == "reading guest console" {
      return record.fields.value(of: "vmconsole")?.isEmpty == false
    }
    return record.message.hasPrefix("time=")
  }

  /// As ``mayBeIn(_:)``; with lenient reading a record may lack its source, and other signs identify console lines.
  @inline(__always)
  static func mayBeIn(_ record: borrowing Record, _ rules: ReadingRules) -> Bool {
    mayBeIn(record) || rules.isLenient && mayBeCarried(by: record)
  }

  /// Replaces `record` with the agent's record that it carries, or marks it if that cannot be read.
  @inline(never)
  static func unpack(
    _ record: inout Record, rules: ReadingRules
  ) throws(RecordProblem) {
    if rules.isLenient, hasOwnFields(record) { return try unpackKeepingFields(&record, rules) }
    try unpackOrMark(&record, rules)
  }

  /// Does it as ``unpack(_:rules:)`` does.
  @inline(__always)
  static func unpackOrMark(_ record: inout Record, _ rules: ReadingRules) throws(RecordProblem) {
    do throws(RecordProblem) {
      if rules.isLenient, try unpackLoosely(&record) { return }
      if record.source == "agent" {
        try unpackProxyMessage(&record, rules: rules)
      } else if record.message == "reading guest console", let console = record.fields.value(of: "vmconsole")
      {
        try unpackConsoleLine(&record, console)
      } else {
        throw RecordProblem(
          "the runtime's message looks like an agent's record but comes from \(record.source.string)")
      }
    } catch {
      if rules.isStrict {
        var problem = error
        problem.reason = "the agent's record cannot be read: \(error.reason)"
        throw problem
      }
      record.marks.insert(.unpackFailed)
      record.fields.set(
        record.arena.copy(LogfmtRecord.unpackFailedKey), record.arena.copy("true" as StaticString))
    }
  }

  /// Kata 1: the message is one record in logfmt, which must be complete.
  private static func unpackProxyMessage(
    _ record: inout Record, rules: ReadingRules
  ) throws(RecordProblem) {
    var inner = Record()
    // The inner record uses the outer one's arena, so that its slices stay valid.
    swap(&inner.arena, &record.arena)
    defer { swap(&inner.arena, &record.arena) }
    let text = try singleLine(record.message)
    var complete = rules
    complete.allowsMissingFields = rules.isLenient
    let reader = LogfmtRecord(rules: complete)
    inner.line = record.line
    inner.input = record.input
    try reader.decode(text, into: &inner, keepsHexEscapes: false)
    if mayBeIn(inner, rules) { try unpack(&inner, rules: complete) }
    try RecordCheck.check(inner, allowsMissingFields: rules.isLenient)
    if rules.isLenient { fillOpen(&inner, from: record) }
    inner.source = inner.arena.copy("agent" as StaticString)
    swap(&inner, &record)
    swap(&inner.arena, &record.arena)
  }

  /// Fills what the agent's record leaves open from that of its carrier.
  private static func fillOpen(_ inner: inout Record, from record: borrowing Record) {
    if inner.sandbox.isEmpty { inner.sandbox = record.sandbox }
    if inner.container.isEmpty { inner.container = record.container }
    if inner.level.isEmpty { inner.level = record.level }
    if inner.name.isEmpty {
      inner.name = record.name
      if inner.pid == 0 { inner.pid = record.pid }
    }
  }

  /// The one line that the text holds, without its line end.
  private static func singleLine(_ text: ByteSlice) throws(RecordProblem) -> ByteSlice {
    guard let newline = text.firstIndex(of: 0x0a) else {
      return text.hasSuffix("\r") ? text.prefix(text.count - 1) : text
    }
    guard newline == text.count - 1 else { throw RecordProblem("the message has more than one line") }
    return text.prefix(newline > 0 && text[newline - 1] == 0x0d ? newline - 1 : newline)
  }

  /// Kata 2 and later: the console line is a JSON object of strings, or text of the kernel or another program.
  private static func unpackConsoleLine(
    _ record: inout Record, _ console: ByteSlice
  ) throws(RecordProblem) {
    if let text = KernelLine.agentObject(in: console) {
      let kernel = console.prefix(text.base - console.base)
      if try readObject(text, into: &record) {
        record.fields.set(record.arena.copy("console" as StaticString), kernel.trimmed)
        return
      }
    }
    if try !readObject(console, into: &record) {
      record.message = console
      record.source = consoleSource
    }
  }

  /// Reads the agent's object over the fields of `record`; false, with the record unchanged, if the text is not an
  /// object of strings. Throws if the agent's pid is not a number.
  static func readObject(_ text: ByteSlice, into record: inout Record) throws(RecordProblem) -> Bool {
    // An object, or `null`.
    guard let first = text.firstVisible, first == UInt8(ascii: "{") || first == UInt8(ascii: "n") else {
      return false
    }
    var reader = JSONReader(text)
    guard let members = reader.readFlatObject(&record.arena, &record.scratch.index) else { return false }
    guard members.isObject else {
      record.fields.removeAll()
      return true
    }
    for index in 0..<members.count where members[index].key == "pid" {
      guard DecimalNumber.parse(members[index].value) != nil else {
        throw RecordProblem("the agent's pid \(quoted(members[index].value)) is not a number")
      }
    }
    record.fields.removeAll()
    for index in 0..<members.count { assign(members[index].key, members[index].value, to: &record) }
    record.fields.sortKeepingLast()
    return true
  }

  /// Assigns one member as ``readObject(_:into:)`` does; throws if the agent's pid is not a process id.
  static func assignChecked(
    _ key: ByteSlice, _ value: ByteSlice, to record: inout Record
  ) throws(RecordProblem) {
    if key == "pid", DecimalNumber.parse(value) ?? -1 < 0 {
      throw RecordProblem("the agent's pid \(quoted(value)) is not a process id")
    }
    assign(key, value, to: &record)
  }

  @inline(__always)
  private static func assign(_ key: ByteSlice, _ value: ByteSlice, to record: inout Record) {
    switch KnownKey(key) {
    case .pid: if !record.set(.pid, value) { record.pid = 0 }
    case .level:
      record.level = longLevel(value)
      record.setField(key, value)
    case let known? where known == .msg || known == .name || known == .source: _ = record.set(known, value)
    default:
      if key == "container-id" || key == "cid" {
        record.container = value
      } else {
        record.setField(key, value)
      }
    }
  }

  /// The source of what the guest prints on its console and is not an agent record.
  @inline(__always)
  static var consoleSource: ByteSlice {
    ByteSlice(padded: "vmconsole                                                                ", count: 9)
  }

  /// The runtime's name for a level of slog.
  static func longLevel(_ level: ByteSlice) -> ByteSlice {
    guard level.count == 4 else { return level }
    if level == "INFO" { return LevelName.info }
    if level == "DEBG" { return LevelName.debug }
    if level == "WARN" { return LevelName.warning }
    if level == "ERRO" { return LevelName.error }
    if level == "TRCE" { return LevelName.trace }
    if level == "CRIT" { return LevelName.critical }
    return level
  }
}
