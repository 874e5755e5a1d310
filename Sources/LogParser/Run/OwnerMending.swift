import Bytes
import System

/// Corrects the owners in pieces of the output that were rendered ahead: in order, on one thread.
///
/// Any earlier record may tell the owner of a later one, but most records name their sandbox themselves. So several
/// threads render pieces as if nothing else were known, and note what each record says. Here ``Attribution`` gets these
/// notes in order, as if it had read the records, and the records about which it knows more are rendered again.
struct OwnerMending<Formatter: RecordFormatter>: ~Copyable {
  private let attribution: Attribution
  private let source: RenderSource
  private var renderer: RecordRenderer<Formatter>
  /// The corrected piece of the output, if it differs from the one rendered ahead.
  private(set) var out = OutputBuffer(capacity: 1 << 20)

  /// Nil if pieces are not rendered ahead.
  init?(_ formatter: Formatter, _ source: RenderSource) {
    guard source.rendersAhead, let attribution = source.attribution else { return nil }
    self.attribution = attribution
    self.source = source
    renderer = RecordRenderer(formatter, source, isAhead: false)
  }

  /// Corrects a piece.
  ///
  /// - Returns: whether ``out`` replaces what was rendered ahead.
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
    // If most records are rendered twice, rendering ahead costs more than it gains.
    if attribution.hasPods || UInt64(count) * 2 > result.statistics.records { source.stopAhead() }
    if count == 0 { return false }
    out.append(made.bytes.part(done..<made.count))
    return true
  }
}
