/// A piece of the output, to be made by one thread.
enum RenderJob: Sendable {
  /// Lines of a file that ``SortedSegments`` found in order.
  case segment(FileSegment)
  /// Records that lie one after the other in the store.
  case range(offset: Int, bytes: Int, place: RenderPlace)
  /// Records of the store in an order of their own.
  case entries([TimeIndex.Entry], place: RenderPlace)
}
