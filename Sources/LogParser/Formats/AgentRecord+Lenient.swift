import Bytes

/// What lenient reading unpacks from the runtime's records in addition to what the Go tool does.
extension AgentRecord {
  /// Whether a record without the runtime's source is a line of the guest's console, or a message of Kata 1's proxy
  /// may be the agent's JSON.
  @inline(__always)
  static func mayBeCarried(by record: borrowing Record) -> Bool {
    // The record as a whole would be copied for a call.
    if record.message.count == 21 { return consoleLine(record.message, record.fields) != nil }
    return record.name.count == 10 && isProxyMessage(record.name, record.source, record.message)
  }

  /// What the guest's console printed, if these are the words before it.
  @inline(never)
  private static func consoleLine(_ message: ByteSlice, _ fields: borrowing FieldList) -> ByteSlice? {
    let words: StaticString = "reading guest console"
    if message != words {
      guard message.count == 21 else { return nil }
      for index in 0..<21 where message[index] | 0x20 != words.utf8Start[index] { return nil }
    }
    guard let console = fields.value(of: "vmconsole"), !console.isEmpty else { return nil }
    return console
  }

  @inline(never)
  private static func isProxyMessage(_ name: ByteSlice, _ source: ByteSlice, _ message: ByteSlice) -> Bool {
    name == "kata-proxy" && source == "agent" && (message.hasPrefix("{\"") || message.hasSuffix("\n"))
  }

  /// Whether the runtime's line has fields beside those that every line of a console has; most have none.
  @inline(__always)
  static func hasOwnFields(_ carrier: borrowing Record) -> Bool {
    for index in 0..<carrier.fields.count where !isOfConsole(carrier.fields[index].key) { return true }
    return false
  }

  /// Unpacks the agent's record, and keeps the carrier's fields that say anything of their own.
  @inline(never)
  static func unpackKeepingFields(_ record: inout Record, _ rules: ReadingRules) throws(RecordProblem) {
    let carried = fields(ofCarrier: record)
    try unpackOrMark(&record, rules)
    for field in carried where !hasField(record, field) { record.addField(field.key, field.value) }
    record.fields.sortKeepingLast()
  }

  private static func hasField(_ record: borrowing Record, _ field: Field) -> Bool {
    record.fields.value(of: field.key)?.equals(field.value) ?? false
  }

  /// The fields of the runtime's line beside those that every line of a console has.
  private static func fields(ofCarrier record: borrowing Record) -> [Field] {
    var fields: [Field] = []
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      if !isOfConsole(field.key) { fields.append(field) }
    }
    return fields
  }

  @inline(__always)
  private static func isOfConsole(_ key: ByteSlice) -> Bool {
    switch key.count {
    case 9: key == "vmconsole" || key == "subsystem"
    case 11: key == "console-url"
    case 16: key == "console-protocol"
    default: false
    }
  }

  /// Unpacks what only lenient reading knows; false if the strict rules decide.
  static func unpackLoosely(_ record: inout Record) throws(RecordProblem) -> Bool {
    if record.name.count == 10, isProxyMessage(record.name, record.source, record.message),
      !record.message.hasPrefix("time=")
    {
      record.message = record.message.droppingLast(UInt8(ascii: "\n")).droppingLast(UInt8(ascii: "\r"))
      if record.message.hasPrefix("{\"") { _ = try readObject(record.message, into: &record) }
      return true
    }
    guard record.message.count == 21, let console = consoleLine(record.message, record.fields) else {
      return false
    }
    if let object = KernelLine.anyAgentObject(in: console), object.start == 0 || record.source.isEmpty {
      if try readObject(object.text, into: &record) { return true }
    }
    if TextRecord.looksLikeLogfmt(console), console.range(of: "msg=") != nil,
      readPairs(console, into: &record)
    {
      return true
    }
    // Strict reading separates the kernel's text from the agent's record after it.
    if KernelLine.agentObject(in: console) != nil { return false }
    // The text is unchanged; only its level overrides that of the runtime's line.
    if let head = LoggerHead(console) { record.level = head.level }
    record.message = console
    record.source = consoleSource
    return true
  }

  /// Reads the logfmt of Kata 1's agent over the fields of `record`, whose time and sandbox stay; false, with the
  /// record unchanged, if it cannot be read.
  private static func readPairs(_ text: ByteSlice, into record: inout Record) -> Bool {
    var pairs: [(key: ByteSlice, value: ByteSlice)] = []
    do throws(RecordProblem) {
      var decoder = LogfmtDecoder(text, keepsHexEscapes: false)
      while let pair = try decoder.next(&record.arena) { pairs.append(pair) }
    } catch {
      return false
    }
    record.fields.removeAll()
    for (key, value) in pairs {
      switch KnownKey(key) {
      case .time: record.setField("ts", value)
      case .sandbox: if record.sandbox.isEmpty { record.sandbox = value }
      case let known?: if !record.set(known, value, leastPid: 0) { record.setField(key, value) }
      case nil: record.setField(key, value)
      }
    }
    record.fields.sortKeepingLast()
    return true
  }
}
