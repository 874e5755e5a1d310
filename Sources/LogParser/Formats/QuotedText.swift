import Bytes

/// A text in quotes for a message, shortened if it is long.
func quoted(_ text: ByteSlice) -> String {
  text.count <= 64 ? "\"\(text.string)\"" : "\"\(text.prefix(61).string)...\""
}
