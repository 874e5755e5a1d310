import Bytes

extension Record {
  /// Sets a known field from its text, by the rules that all formats share. A format that is stricter, or has its own
  /// level names, checks the text first.
  ///
  /// - Parameter leastPid: the lowest number that is accepted as a process id.
  /// - Returns: false, with the record unchanged, if the text is not a valid value: a malformed time, or a pid that is
  ///   not a number of at least `leastPid`.
  @inline(__always)
  mutating func set(_ key: KnownKey, _ value: ByteSlice, leastPid: Int = .min) -> Bool {
    switch key {
    case .level: level = value
    case .msg: message = value
    case .name: name = value
    case .source: source = value
    case .container: container = value
    case .sandbox: sandbox = value
    case .time: return setTime(value)
    case .pid:
      guard let pid = DecimalNumber.parse(value), pid >= leastPid else { return false }
      self.pid = pid
    // The request itself is an extra field; only the container that it names is a known one.
    case .request: setContainer(fromRequest: value)
    }
    return true
  }

  /// As ``set(_:_:leastPid:)`` for a time, which is often in the same minute as the one before.
  @inline(__always)
  mutating func setCachedTime(_ value: ByteSlice) -> Bool {
    guard let time = time(of: value) else { return false }
    self.time = time
    return true
  }

  /// Reads a time as `Timestamp.parse(field:)` does, at once where it is in the same minute as the one before.
  @inline(__always)
  mutating func time(of value: ByteSlice) -> Timestamp? {
    if let time = scratch.lastMinute.parse(value.base, count: value.count) { return time }
    guard let time = Timestamp.parse(field: value) else { return nil }
    scratch.lastMinute.keepMinute(of: time)
    return time
  }

  // Apart, so that the code of the others is short where it is inlined.
  @inline(never)
  private mutating func setTime(_ value: ByteSlice) -> Bool {
    guard let time = Timestamp.parse(field: value) else { return false }
    self.time = time
    return true
  }

  @inline(never)
  private mutating func setContainer(fromRequest request: ByteSlice) {
    if let id = Self.containerID(inRequest: request) { container = id }
  }

  /// Sets an extra field, new or not; the fields are sorted later.
  @inline(__always)
  mutating func setField(_ key: ByteSlice, _ value: ByteSlice) {
    if !fields.add(key, value) { fields.set(key, value) }
  }

  /// Sets an extra field of the program's own.
  mutating func setField(_ key: StaticString, _ value: ByteSlice) { setField(arena.copy(key), value) }

  /// The id in a logged request that names one: `container_id:"…"`.
  static func containerID(inRequest request: ByteSlice) -> ByteSlice? {
    var from = 0
    while let found = request.range(of: "container_id:\"", from: from) {
      let start = found + 14
      if let end = request.firstIndex(of: 0x22, from: start) { return request.slice(start, end) }
      from = start
    }
    return nil
  }
}
