import Bytes

extension Span {
  /// An attribute of text that a receiver sets.
  package struct Mark: Sendable {
    /// The key, and after it the value.
    fileprivate let bytes: [UInt8]
    fileprivate let keyCount: Int

    package init(_ key: String, _ value: String) {
      bytes = Array(key.utf8) + Array(value.utf8)
      keyCount = key.utf8.count
    }

    @inline(__always)
    fileprivate func isKey(_ key: UnsafeRawBufferPointer) -> Bool {
      key.count == keyCount && bytes.withUnsafeBytes { $0.part(0..<keyCount).isSame(as: key) }
    }
  }

  /// Renames each attribute `kata.NAME` to `kata.claimed.NAME`, wherever in the span it is.
  ///
  /// No two names become one, and none is without the prefix afterwards: what a sender already called `kata.claimed.NAME`
  /// becomes `kata.claimed.claimed.NAME`.
  package mutating func renameClaims() {
    guard attributes.contains(where: { isKata($0.key) }) else { return }
    renameClaims(own)
    renameClaims(resource.attributes)
    renameClaims(scope.attributes)
    for event in events { renameClaims(event.attributes) }
    for link in links { renameClaims(link.attributes) }
  }

  private mutating func renameClaims(_ list: List) {
    for index in list.range where index < attributes.count && isKata(attributes[index].key) {
      let key = attributes[index].key
      let rest = Int(key.offset) + 5..<Int(key.offset) + Int(key.count)
      let start = text.count
      text.append(contentsOf: "kata.claimed.".utf8)
      text.append(contentsOf: text[rest])
      attributes[index].key = Text(start, text.count - start)
    }
  }

  /// Whether a key begins with `kata.`; called for every attribute of every span, so it looks at one byte of most.
  private func isKata(_ key: Text) -> Bool {
    let start = Int(key.offset)
    guard key.count >= 5, start + Int(key.count) <= text.count, text[start] == UInt8(ascii: "k") else {
      return false
    }
    return text[start + 1] == UInt8(ascii: "a") && text[start + 2] == UInt8(ascii: "t")
      && text[start + 3] == UInt8(ascii: "a") && text[start + 4] == UInt8(ascii: ".")
  }

  /// What a span says of where it is from.
  package struct OriginNames {
    /// `service.name` of the resource, if it is a text.
    package var service = Text.none
    /// Whether `kata.sandbox.id` is there, in the span or its resource.
    package var hasSandbox = false
    /// The text `sandbox_id`, of the span before that of the resource.
    package var runtimeSandbox = Text.none
  }

  /// Looks once at every attribute of the span and its resource, as it is called for each span.
  package var originNames: OriginNames {
    var names = OriginNames()
    text.withUnsafeBytes { text in
      for attribute in attributes[clamping: own] { Self.note(attribute, text, &names, isResource: false) }
      for attribute in attributes[clamping: resource.attributes] {
        Self.note(attribute, text, &names, isResource: true)
      }
    }
    return names
  }

  @inline(__always)
  private static func note(
    _ attribute: Attribute, _ text: UnsafeRawBufferPointer, _ names: inout OriginNames, isResource: Bool
  ) {
    // Few keys have one of these lengths.
    switch attribute.key.count {
    case 10 where text[attribute.key] == "sandbox_id":
      if case .string(let value) = attribute.value, names.runtimeSandbox.isEmpty {
        names.runtimeSandbox = value
      }
    case 12 where isResource && text[attribute.key] == "service.name":
      if case .string(let value) = attribute.value, names.service.isEmpty { names.service = value }
    case 15 where text[attribute.key] == "kata.sandbox.id": names.hasSandbox = true
    default: break
    }
  }

  /// Sets attributes of the resource, each in the place of all that have its key.
  ///
  /// A resource that would have more than `limit` attributes loses its last ones, which its count of dropped attributes
  /// says. A `sandbox`, which is a text of the span, becomes one more attribute, that the span does not have yet.
  package mutating func setResource(_ marks: [Mark], sandbox: Text = .none, limit: Int) {
    guard !marks.isEmpty || !sandbox.isEmpty else { return }
    let first = attributes.count
    text.withUnsafeBytes { text in
      for index in resource.attributes.range where index < first {
        let attribute = attributes[index]
        if !marks.contains(where: { $0.isKey(text[attribute.key]) }) { attributes.append(attribute) }
      }
    }
    let added = marks.count + (sandbox.isEmpty ? 0 : 1)
    let excess = attributes.count - first - max(0, limit - added)
    if excess > 0 {
      attributes.removeLast(excess)
      resource.dropped = UInt32(clamping: Int(resource.dropped) + excess)
    }
    for mark in marks {
      let start = text.count
      text.append(contentsOf: mark.bytes)
      let value = Text(start + mark.keyCount, mark.bytes.count - mark.keyCount)
      attributes.append(Attribute(Text(start, mark.keyCount), .string(value)))
    }
    if !sandbox.isEmpty { attributes.append(Attribute(intern("kata.sandbox.id"), .string(sandbox))) }
    resource.attributes = List(first, attributes.count - first)
    agent.hasResource = true
  }
}
