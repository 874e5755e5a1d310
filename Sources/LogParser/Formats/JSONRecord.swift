import Bytes

/// Records that are JSON objects: the Go runtime's (logrus), the Rust tools' (slog), and others with the same names.
enum JSONRecord {
  /// Whether the members are those of a log record: a message, and a level or a time.
  static func isRecord(_ members: borrowing MemberList) -> Bool {
    guard members.contains("msg") || members.contains("message") else { return false }
    return members.contains("level") || members.contains("ts") || members.contains("time")
  }

  /// Whether the members are those of the agent's logger. Its time is `ts`, as that of the runtime and the host's
  /// tools, whose names differ, and of loggers that write no name.
  static func isAgent(_ members: borrowing MemberList) -> Bool {
    guard members.contains("ts"), members.contains("msg"), !members.contains("time") else { return false }
    if let name = members.value(of: "name"), isOfHost(name) { return false }
    return members.contains("name") || members.contains("source") || !members.contains("caller")
  }

  private static func isOfHost(_ name: ByteSlice) -> Bool {
    name == "kata-runtime" || name == "kata-ctl" || name == "kata-agent-ctl"
      || name == "containerd-shim-kata-v2"
  }

  /// Reads the members into `record`, whose fields they replace. `time` is set if a member has one.
  ///
  /// - Parameter keepsAgentTime: whether `ts` stays a field and does not become the record's time, because the host has
  ///   recorded the time of arrival.
  static func read(
    _ members: borrowing MemberList, into record: inout Record, keepsAgentTime: Bool
  ) throws(RecordProblem) {
    let isAgent = isAgent(members)
    let hasMessage = members.contains("msg")
    for index in 0..<members.count {
      let (key, value) = members[index]
      if key == "ts", !keepsAgentTime, !members.contains("time") {
        record.time = try time(value)
      } else if isAgent {
        try AgentRecord.assignChecked(key, value, to: &record)
      } else {
        try assign(key, value, to: &record, hasMessage: hasMessage)
      }
    }
    record.fields.sortKeepingLast()
  }

  private static func assign(
    _ key: ByteSlice, _ value: ByteSlice, to record: inout Record, hasMessage: Bool
  ) throws(RecordProblem) {
    switch KnownKey(key) {
    case nil:
      if !hasMessage, key == "message", record.message.isEmpty {
        record.message = value
      } else {
        record.setField(key, value)
      }
    case .level: record.level = AgentRecord.longLevel(value)
    case .request:
      _ = record.set(.request, value)
      record.setField(key, value)
    case let known?:
      if record.set(known, value, leastPid: 0) { return }
      // An empty pid means no pid.
      guard known == .pid, value.isEmpty else { throw refusal(of: known, value) }
      record.pid = 0
    }
  }

  @inline(never)
  private static func refusal(of key: KnownKey, _ value: ByteSlice) -> RecordProblem {
    key == .pid ? RecordProblem("the pid \(quoted(value)) is not a process id") : refusal(ofTime: value)
  }

  private static func refusal(ofTime value: ByteSlice) -> RecordProblem {
    RecordProblem("the time \(quoted(value)) is neither an RFC 3339 time nor a number of seconds since 1970")
  }

  private static func time(_ value: ByteSlice) throws(RecordProblem) -> Timestamp {
    guard let time = Timestamp.parse(field: value) else { throw refusal(ofTime: value) }
    return time
  }
}

extension JSONRecord {
  static let detector = Detector(
    shape: "json", use: .auto(orForced: [.json, .console]), firstBytes: "{"
  ) { (line, context, record) throws(RecordProblem) in
    guard context.object.read(line, &record.arena) else { return .passed }
    if context.rules.isLenient { return readAny(context.object.members, into: &record, context.text) }
    guard isRecord(context.object.members) else { return .passed }
    do throws(RecordProblem) {
      try readWhole(context.object.members, into: &record, context.rules)
    } catch {
      // The kernel may have written into the agent's record; the end of the kernel's text is then unknown.
      if !context.rules.isStrict, KernelLine.firstStamp(in: line) != nil { return .raw }
      throw error
    }
    return .record
  }

  /// Reads any logger's record, even if fields are missing.
  private static func readAny(
    _ members: borrowing MemberList, into record: inout Record, _ text: TextRecord
  ) -> Claim {
    let names = LooseJSON.Names(members)
    guard names.isAnyRecord else { return .passed }
    LooseJSON.read(members, names, into: &record, keepsTime: false)
    text.completeRuntime(&record)
    unpack(&record, text.rules)
    return .record
  }

  /// Unpacks the agent's record if there is one; an unreadable one is marked, which is not an error.
  private static func unpack(_ record: inout Record, _ rules: ReadingRules) {
    guard rules.unpacksAgent, AgentRecord.mayBeIn(record, rules) else { return }
    try? AgentRecord.unpack(&record, rules: rules)
  }

  /// Reads a record without a wrapper, which must have all required fields.
  private static func readWhole(
    _ members: borrowing MemberList, into record: inout Record, _ rules: ReadingRules
  ) throws(RecordProblem) {
    try read(members, into: &record, keepsAgentTime: false)
    if rules.unpacksAgent, AgentRecord.mayBeIn(record, rules) {
      try AgentRecord.unpack(&record, rules: rules)
    }
    if record.time.isUnset {
      throw RecordProblem("the time is missing", remedy: "a record must have a time or ts")
    }
    try RecordCheck.check(record, allowsMissingFields: rules.allowsMissingFields)
  }
}

extension MemberList {
  /// Whether there is a member with this name. Loggers write the names that are looked up here first.
  @inline(__always)
  func contains(_ key: StaticString) -> Bool {
    for index in 0..<count where self[index].key == key { return true }
    return false
  }
}
