import Bytes

/// A journal entry: named fields, read in place or from `-o json` or `-o export`.
///
/// Most entries of the Go runtime have a whole record as their message, which then is the record. The Rust runtime
/// writes native fields: the keys of its logger in upper case, with `_` for every other character.
/// https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html
enum JournalEntry {
  /// Reads the fields of one entry into `record`, which must be empty.
  ///
  /// The names are journald's (`MESSAGE`, `_PID`, `__REALTIME_TIMESTAMP`, …); of a name that occurs more than once the
  /// first value counts, and the others become `name.1`, `name.2`, …. The slices must stay valid as long as the record:
  /// they are in its arena or in the input's buffer.
  ///
  /// - Parameter time: when journald received the entry, if no field says so.
  static func read(
    _ fields: borrowing MemberList, time: Timestamp? = nil, into record: inout Record, text reader: TextRecord
  ) throws(RecordProblem) {
    let known = Known(fields)
    var wrapper = Wrapper(known.message ?? .empty)
    wrapper.time = time ?? known.time.flatMap { Self.time($0) }
    wrapper.identifier = known.identifier ?? known.command ?? .empty
    let pid = known.syslogPid ?? known.pid
    wrapper.pid = max(0, pid.flatMap { DecimalNumber.parse($0) } ?? 0)
    if let priority = known.priority, let value = DecimalNumber.parse(priority), (0...7).contains(value) {
      wrapper.level = Wrapper.level(ofSeverity: value)
    }
    let shape = try reader.read(wrapper, isNative: true, into: &record)
    switch shape {
    case .logfmt, .json: return
    case .agent, .console: fillFromHost(fields, &record)
    case .klog, .plain:
      addNative(fields, to: &record)
      reader.completeRuntime(&record)
    }
    record.fields.sortKeepingLast()
  }

  /// The fields that say what journald and syslog know of a message, each the first of its name.
  private struct Known {
    private(set) var message: ByteSlice?
    private(set) var time: ByteSlice?
    private(set) var identifier: ByteSlice?
    private(set) var command: ByteSlice?
    private(set) var syslogPid: ByteSlice?
    private(set) var pid: ByteSlice?
    private(set) var priority: ByteSlice?

    init(_ fields: borrowing MemberList) {
      for index in 0..<fields.count {
        let (name, value) = fields[index]
        switch name.count {
        case 4: if pid == nil, name == "_PID" { pid = value }
        case 5: if command == nil, name == "_COMM" { command = value }
        case 7: if message == nil, name == "MESSAGE" { message = value }
        case 8: if priority == nil, name == "PRIORITY" { priority = value }
        case 10: if syslogPid == nil, name == "SYSLOG_PID" { syslogPid = value }
        case 17: if identifier == nil, name == "SYSLOG_IDENTIFIER" { identifier = value }
        case 20: if time == nil, name == "__REALTIME_TIMESTAMP" { time = value }
        default: break
        }
      }
    }
  }

  private static func time(_ text: ByteSlice) -> Timestamp? {
    guard let value = DecimalNumber.parse(text), value >= 0 else { return nil }
    let time = Timestamp(microseconds: UInt64(value))
    return Timestamp.representableSeconds.contains(time.seconds) ? time : nil
  }

  private static func first(_ name: StaticString, _ fields: borrowing MemberList) -> ByteSlice? {
    for index in 0..<fields.count where fields[index].key == name { return fields[index].value }
    return nil
  }

  /// Takes the sandbox of a guest's record from the fields that the host wrote.
  private static func fillFromHost(_ fields: borrowing MemberList, _ record: inout Record) {
    if record.sandbox.isEmpty {
      record.sandbox = first("SANDBOX", fields) ?? first("SANDBOX_ID", fields) ?? sandboxOfRuntime(fields)
    }
    if record.container.isEmpty {
      record.container =
        first("CONTAINER", fields) ?? first("CONTAINER_ID", fields) ?? first("CID", fields) ?? .empty
    }
  }

  /// The Rust runtime writes its sandbox as the source of everything that its process logs.
  private static func sandboxOfRuntime(_ fields: borrowing MemberList) -> ByteSlice {
    guard let name = first("NAME", fields), name == "kata-runtime", let source = first("SOURCE", fields),
      !TextRecord.isComponent(source)
    else { return .empty }
    return source
  }

  /// If the message is only a message, the record consists of the logger's fields and those that journald vouches for.
  private static func addNative(_ fields: borrowing MemberList, to record: inout Record) {
    for index in 0..<fields.count {
      let (name, value) = fields[index]
      // Skips what the record already has, and journald's own addresses.
      if name.hasPrefix("__") || name == "MESSAGE" || name == "SYSLOG_TIMESTAMP" || name == "SYSLOG_RAW" {
        continue
      }
      if name.hasPrefix("_") || name.hasPrefix("CODE_") {
        add(name, value, to: &record)
        continue
      }
      let key = lowered(name, &record.arena)
      switch KnownKey(key) {
      case .level: record.level = AgentRecord.longLevel(value)
      case .time, .msg, .request: add(key, value, to: &record)
      case let known?: if !record.set(known, value, leastPid: 1) { add(key, value, to: &record) }
      case nil:
        if key == "container_id" || key == "cid" && !value.isVsockContext {
          record.container = value
        } else if key == "sandbox_id" {
          record.sandbox = value
        } else {
          add(key, value, to: &record)
        }
      }
    }
  }

  /// Adds a field; if the name exists with another value, the name gets a number.
  private static func add(_ name: ByteSlice, _ value: ByteSlice, to record: inout Record) {
    guard record.fields.count < 1024 else { return }
    var key = name
    var number = 0
    while let old = record.fields.value(of: key) {
      if old.equals(value) { return }
      number += 1
      guard number < 64 else { return }
      key = record.arena.copy("\(name.string).\(number)")
    }
    _ = record.fields.add(key, value)
  }

  private static func lowered(_ name: ByteSlice, _ arena: inout Arena) -> ByteSlice {
    let out = arena.reserve(name.count)
    for index in 0..<name.count {
      let byte = name[index]
      out[index] = (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
    }
    return arena.commit(name.count, isPlain: name.isPlain)
  }
}
