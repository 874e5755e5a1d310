import Bytes

extension ByteWriter {
  /// Puts elements separated by commas, without brackets: the contents of a list of any kind.
  @inlinable @inline(__always)
  public mutating func put<Elements: Sequence>(
    list elements: Elements, _ body: (Elements.Element, inout ByteWriter) -> Void
  ) {
    var isFirst = true
    for element in elements {
      if !isFirst { put(UInt8(ascii: ",")) }
      isFirst = false
      body(element, &self)
    }
  }
}

/// Writes JSON documents member by member. Not for data written once per span, for which ``ByteWriter`` writes constant
/// pieces such as `,"name":` at once.
package struct JSONWriter: ~Copyable {
  private var out = ByteWriter(capacity: 4096)
  private var isFirst = true

  package init() {}

  /// The document, with a line end.
  package var text: String { String(decoding: out.bytes, as: UTF8.self) + "\n" }

  /// Puts an object, whose members `body` puts.
  package mutating func object(_ body: (inout JSONWriter) -> Void) {
    out.put(UInt8(ascii: "{"))
    isFirst = true
    body(&self)
    out.put(UInt8(ascii: "}"))
    isFirst = false
  }

  private mutating func name(_ name: String) {
    if !isFirst { out.put(UInt8(ascii: ",")) }
    isFirst = false
    out.put(json: name)
    out.put(UInt8(ascii: ":"))
  }

  /// Puts a member that is a text.
  package mutating func string(_ key: String, _ value: String) {
    name(key)
    out.put(json: value)
  }

  /// Puts a member that is a whole number.
  package mutating func number(_ key: String, _ value: Int) {
    name(key)
    out.put(decimal: Int64(value))
  }

  /// Puts a member that is a list of objects, one an element; `body` puts each one's members.
  package mutating func array<Element>(
    _ key: String, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void
  ) {
    name(key)
    out.put(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { out.put(UInt8(ascii: ",")) }
      object { body(&$0, element) }
    }
    out.put(UInt8(ascii: "]"))
    isFirst = false
  }
}
