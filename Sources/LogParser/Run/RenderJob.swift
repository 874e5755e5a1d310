/// A piece of the output for one thread to produce.
enum RenderJob: Sendable {
  /// Lines of a file that ``SortedSegments`` found in order.
  case segment(FileSegment)
  /// Consecutive records in the store.
  case range(offset: Int, bytes: Int, place: RenderPlace)
  /// Records of the store in the given order.
  case entries([TimeIndex.Entry], place: RenderPlace)
}
