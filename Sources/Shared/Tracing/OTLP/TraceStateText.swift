import Bytes

/// The W3C form of a tracestate: `key=value,key=value`.
enum TraceStateText {
  static func put(
    _ entries: ArraySlice<Span.StateEntry>, _ text: UnsafeRawBufferPointer, to out: inout ByteWriter
  ) {
    var isFirst = true
    for entry in entries {
      if !isFirst { out.put(0x2c) }
      isFirst = false
      out.put(text[entry.key])
      out.put(0x3d)
      out.put(text[entry.value])
    }
  }
}
