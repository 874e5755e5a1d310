import Bytes

/// The inputs' names, as bytes that formatters can borrow.
final class InputNames: @unchecked Sendable {
  private var arena = Arena()
  // Asked for each record, and never changed once made.
  @exclusivity(unchecked) private var names: [ByteSlice] = []

  init(_ names: [String]) {
    for name in names {
      let slice = arena.copy(name)
      self.names.append(
        ByteSlice(
          base: slice.base, count: slice.count, isPlain: ByteScanner.isPlain(slice.base, count: slice.count)))
    }
  }

  subscript(index: Int) -> ByteSlice { names.indices.contains(index) ? names[index] : .empty }
}
