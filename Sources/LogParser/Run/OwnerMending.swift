import Bytes
import System

/// Makes good what pieces of the output that were made ahead say of owners: in order, on one thread.
///
/// Whom a record belongs to may be told by any earlier one, yet most name their sandbox themselves. So several threads
/// make the pieces as if nothing else were known, and note what each record says; here ``Attribution`` is told of all of
/// that in order, just as if it had read the records, and those of which it knows more are made anew.
struct OwnerMending<Formatter: RecordFormatter>: ~Copyable {
  private let attribution: Attribution
  private let source: RenderSource
  private var renderer: RecordRenderer<Formatter>
  /// The piece of the output, where it is another one than was made ahead.
  private(set) var out = OutputBuffer(capacity: 1 << 20)

  /// Nil where pieces are not made ahead.
  init?(_ formatter: Formatter, _ source: RenderSource) {
    guard source.rendersAhead, let attribution = source.attribution else { return nil }
    self.attribution = attribution
    self.source = source
    renderer = RecordRenderer(formatter, source, isAhead: false)
  }

  /// Makes good a piece.
  ///
  /// - Returns: whether ``out`` is to be taken in the place of what was made.
  mutating func mend(
    _ result: inout RenderResult, _ made: borrowing OutputBuffer
  ) throws(SystemCallError) -> Bool {
    out.removeAll()
    if let segment = result.left {
      result = renderer.render(.segment(segment), &out)
      return true
    }
    guard let notes = result.notes, let segment = result.segment else { return false }
    var done = 0
    var count = 0
    for note in notes.notes where !note.isConfirmed(by: attribution, input: source.file?.input ?? 0) {
      if count == 0 { try renderer.read(segment) }
      out.append(made.bytes.part(done..<note.place.lowerBound))
      do throws(RecordProblem) {
        try renderer.render(note, &out)
      } catch {
        result.problem = (note.line, error)
        return true
      }
      done = note.place.upperBound
      count += 1
    }
    // Where most is made twice, it is made once instead.
    if attribution.hasPods || UInt64(count) * 2 > result.statistics.records { source.stopAhead() }
    if count == 0 { return false }
    out.append(made.bytes.part(done..<made.count))
    return true
  }
}
