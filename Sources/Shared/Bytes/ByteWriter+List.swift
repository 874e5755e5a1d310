extension ByteWriter {
  /// Puts elements with commas between them.
  @inlinable public mutating func put<Element>(
    list: some Sequence<Element>, _ body: (Element, inout ByteWriter) -> Void
  ) {
    var isFirst = true
    for element in list {
      if !isFirst { put(UInt8(ascii: ",")) }
      isFirst = false
      body(element, &self)
    }
  }
}
