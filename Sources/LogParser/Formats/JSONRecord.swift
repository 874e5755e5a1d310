import Bytes

/// Records that are JSON objects: the Go runtime's (logrus), the Rust tools' (slog), and others with the same names.
enum JSONRecord {
  /// Whether the members are those of a log record: a message, and a level or a time.
  static func isRecord(_ members: borrowing MemberList) -> Bool {
    guard members.value(of: "msg") != nil || members.value(of: "message") != nil else { return false }
    return members.value(of: "level") != nil || members.value(of: "ts") != nil
      || members.value(of: "time") != nil
  }

  /// Whether the members are those of the agent's logger: its time is `ts`.
  static func isAgent(_ members: borrowing MemberList) -> Bool {
    members.value(of: "ts") != nil && members.value(of: "msg") != nil && members.value(of: "time") == nil
  }

  /// Reads the members into `record`, whose fields they replace. `time` is set where a member gives one.
  ///
  /// - Parameter keepsAgentTime: whether `ts` stays a field and is not taken for the record's time, because something
  ///   on the host says when it came.
  static func read(
    _ members: borrowing MemberList, into record: inout Record, keepsAgentTime: Bool
  ) throws(RecordProblem) {
    let isAgent = isAgent(members)
    let hasMessage = members.value(of: "msg") != nil
    for index in 0..<members.count {
      let (key, value) = members[index]
      if key == "ts", !keepsAgentTime, members.value(of: "time") == nil {
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
    case .time: record.time = try time(value)
    case .level: record.level = AgentRecord.longLevel(value)
    case .msg: record.message = value
    case .name: record.name = value
    case .source: record.source = value
    case .container: record.container = value
    case .sandbox: record.sandbox = value
    case .pid:
      guard let pid = value.isEmpty ? 0 : DecimalNumber.parse(value), pid >= 0 else {
        throw RecordProblem("the pid \(quoted(value)) is no process id")
      }
      record.pid = pid
    case .request:
      if let container = LogfmtRecord.containerID(inRequest: value) { record.container = container }
      record.setField(key, value)
    case nil:
      if !hasMessage, key == "message", record.message.isEmpty {
        record.message = value
      } else {
        record.setField(key, value)
      }
    }
  }

  private static func time(_ value: ByteSlice) throws(RecordProblem) -> Timestamp {
    guard let time = Timestamp.parse(field: value) else {
      throw RecordProblem(
        "the time \(quoted(value)) is neither an RFC 3339 time nor a number of seconds since 1970")
    }
    return time
  }
}

extension Record {
  /// Sets an extra field, new or not; the fields are sorted later.
  @inline(__always)
  mutating func setField(_ key: ByteSlice, _ value: ByteSlice) {
    if !fields.add(key, value) { fields.set(key, value) }
  }

  /// Sets an extra field of the program's own.
  mutating func setField(_ key: StaticString, _ value: ByteSlice) { setField(arena.copy(key), value) }
}
