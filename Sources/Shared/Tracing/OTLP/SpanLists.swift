import Bytes

extension Span {
  /// Takes the `key=value,…` of a tracestate apart; empty members, which W3C allows, are left out.
  mutating func keepTraceState(_ piece: Text, _ limits: SpanLimits) throws(CodecError) -> List {
    let first = states.count
    var start = Int(piece.offset)
    let end = min(text.count, start + Int(piece.count))
    while start < end {
      let comma = text[start..<end].firstIndex(of: 0x2c) ?? end
      if comma > start {
        guard states.count - first < limits.attributes else { throw CodecError(.limit, at: 0) }
        let equals = text[start..<comma].firstIndex(of: 0x3d) ?? comma
        let value = min(comma, equals + 1)
        states.append(StateEntry(key: Text(start, equals - start), value: Text(value, comma - value)))
      }
      start = comma + 1
    }
    return List(first, states.count - first)
  }

  /// Keeps a list, and finds out whether all its elements are of one of the agent's types.
  mutating func keepArray(_ found: [Value]) -> Value {
    let first = elements.count
    elements.append(contentsOf: found)
    var type: ElementType?
    for element in found {
      let one: ElementType =
        switch element {
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .string: .string
        default: .mixed
        }
      type = type == nil || type == one ? one : .mixed
    }
    return .array(List(first, found.count), type ?? .string)
  }
}
