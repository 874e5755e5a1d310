extension Span {
  /// An attribute of text that a receiver sets.
  package struct Mark: Sendable, Hashable {
    fileprivate let key: [UInt8]
    fileprivate let value: [UInt8]

    package init(_ key: String, _ value: String) {
      self.key = Array(key.utf8)
      self.value = Array(value.utf8)
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

  /// Sets attributes of the resource, each in the place of all that have its key.
  ///
  /// A resource that would have more than `limit` attributes loses its last ones, which its count of dropped attributes
  /// says.
  package mutating func setResource(_ marks: [Mark], limit: Int) {
    guard !marks.isEmpty else { return }
    let first = attributes.count
    for index in resource.attributes.range where index < first {
      let attribute = attributes[index]
      if !marks.contains(where: { isText($0.key, attribute.key) }) { attributes.append(attribute) }
    }
    let excess = attributes.count - first - max(0, limit - marks.count)
    if excess > 0 {
      attributes.removeLast(excess)
      resource.dropped = UInt32(clamping: Int(resource.dropped) + excess)
    }
    for mark in marks { attributes.append(Attribute(keep(mark.key), .string(keep(mark.value)))) }
    resource.attributes = List(first, attributes.count - first)
    agent.hasResource = true
  }

  /// The value of a text of the list's first attribute with this key; nil when there is none or it is no text.
  package func textValue(of mark: Mark, in list: List) -> Text? {
    for attribute in attributes[clamping: list] where isText(mark.key, attribute.key) {
      if case .string(let piece) = attribute.value { return piece }
      return nil
    }
    return nil
  }

  /// Whether the list has an attribute with this key.
  package func has(_ mark: Mark, in list: List) -> Bool {
    attributes[clamping: list].contains { isText(mark.key, $0.key) }
  }

  private func isText(_ bytes: [UInt8], _ piece: Text) -> Bool {
    let start = Int(piece.offset)
    guard Int(piece.count) == bytes.count, start + bytes.count <= text.count else { return false }
    for index in bytes.indices where bytes[index] != text[start + index] { return false }
    return true
  }

  private mutating func keep(_ bytes: [UInt8]) -> Text {
    let start = text.count
    text.append(contentsOf: bytes)
    return Text(start, bytes.count)
  }
}
