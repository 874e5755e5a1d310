import Bytes

/// The values of members.
extension AgentJSONDecoder {
  mutating func value(_ span: inout Span) throws(CodecError) -> Span.Value {
    guard try json.beginObject() else { throw json.failure() }
    let type = try json.key()
    let value: Span.Value
    if type == "String" {
      value = .string(try json.text(&span, limits))
    } else if type == "I64" {
      value = .int(try json.signed())
    } else if type == "Bool" {
      value = .bool(try json.bool())
    } else if type == "F64" {
      value = .double(try double())
    } else if type == "Array" {
      value = try array(&span)
    } else {
      throw json.failure(.tag)
    }
    try json.expect(0x7d)
    return value
  }

  private mutating func array(_ span: inout Span) throws(CodecError) -> Span.Value {
    guard try json.beginObject() else { throw json.failure() }
    let name = try json.key()
    let type: Span.ElementType
    if name == "Bool" {
      type = .bool
    } else if name == "I64" {
      type = .int
    } else if name == "F64" {
      type = .double
    } else if name == "String" {
      type = .string
    } else {
      throw json.failure(.tag)
    }
    let first = span.elements.count
    var more = try json.beginArray()
    while more {
      guard span.hasRoom(for: 1, limits) else { throw json.failure(.limit) }
      let element: Span.Value =
        switch type {
        case .bool: .bool(try json.bool())
        case .int: .int(try json.signed())
        case .double: .double(try double())
        default: .string(try json.text(&span, limits))
        }
      span.elements.append(element)
      more = try json.another(0x5d)
    }
    try json.expect(0x7d)
    return .array(Span.List(first, span.elements.count - first), type)
  }

  /// serde writes a value that is not a number in JSON as `null`.
  private mutating func double() throws(CodecError) -> Double {
    try json.takeNull() ? .nan : try json.double()
  }

  mutating func time() throws(CodecError) -> UInt64 {
    var seconds: UInt64 = 0
    var fraction: UInt32 = 0
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      if key == "secs_since_epoch" {
        seconds = try json.unsigned(UInt64.self)
      } else if key == "nanos_since_epoch" {
        fraction = try json.unsigned(UInt32.self)
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = scaled.addingReportingOverflow(UInt64(fraction))
    guard !overflow, !carry else { throw json.failure(.number) }
    return sum
  }

  mutating func kind() throws(CodecError) -> Span.Kind {
    try json.expect(0x22)
    for index in AgentKind.kinds.indices.reversed() where json.hasWord(AgentKind.kinds[index].name) {
      try json.word(AgentKind.kinds[index].name)
      return AgentKind.kinds[index].kind
    }
    throw json.failure(.tag)
  }

  mutating func status() throws(CodecError) -> Span.Status {
    try json.expect(0x22)
    // Not a loop over a table: the compiler unrolls that in one of two ways, and two builds of one commit differ.
    if try takes("Unset") { return .unset }
    if try takes("Ok") { return .ok }
    if try takes("Error") { return .error }
    throw json.failure(.tag)
  }

  /// Whether this word is next, which is then taken with the quote that ends it.
  private mutating func takes(_ word: StaticString) throws(CodecError) -> Bool {
    guard json.hasWord(word) else { return false }
    try json.word(word)
    return true
  }
}
