import Bytes
import Encodings

/// The W3C form of a tracestate: `key=value,key=value`.
enum TraceStateText {
  static func put(
    _ entries: ArraySlice<Span.StateEntry>, _ text: UnsafeRawBufferPointer, to out: inout ByteWriter
  ) {
    out.put(list: entries) { entry, out in
      out.put(text[entry.key])
      out.put(0x3d)
      out.put(text[entry.value])
    }
  }
}
