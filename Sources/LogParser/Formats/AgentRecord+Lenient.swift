import Bytes

/// What lenient reading unpacks from the runtime's records in addition to what the Go tool does.
extension AgentRecord {
  /// Whether a record without the runtime's source is a line of the guest's console, or a message of Kata 1's proxy
  /// may be the agent's JSON.
  @inline(__always)
  static func mayBeCarried(by record: borrowing Record) -> Bool {
    if record.message.count == 21 { return isConsoleMessage(record) }
    return record.name.count == 10 && isProxyMessage(record)
  }

  @inline(never)
  private static func isConsoleMessage(_ record: borrowing Record) -> Bool {
    let words: StaticString = "reading guest console"
    if record.message != words {
      for index in 0..<21 where record.message[index] | 0x20 != words.utf8Start[index] { return false }
    }
    return record.fields.value(of: "vmconsole")?.isEmpty == false
  }

  @inline(never)
  private static func isProxyMessage(_ record: borrowing Record) -> Bool {
    record.name == "kata-proxy" && record.source == "agent"
      && (record.message.hasPrefix("{\"") || record.message.hasSuffix("\n"))
  }

  /// Unpacks what only lenient reading knows; false if the strict rules decide.
  static func unpackLoosely(_ record: inout Record) throws(RecordProblem) -> Bool {
    if isProxyMessage(record), !record.message.hasPrefix("time=") {
      record.message = record.message.droppingLast(UInt8(ascii: "\n")).droppingLast(UInt8(ascii: "\r"))
      if record.message.hasPrefix("{\"") { _ = try readObject(record.message, into: &record) }
      return true
    }
    guard record.message.count == 21, isConsoleMessage(record),
      let console = record.fields.value(of: "vmconsole")
    else { return false }
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
    // Words between the pairs of the runtime's line exist nowhere else.
    let words = record.fields.value(of: "text")
    record.fields.removeAll()
    if let words { record.setField("text", words) }
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
