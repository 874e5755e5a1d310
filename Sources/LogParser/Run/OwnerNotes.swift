import Bytes

/// What is still open in a piece of the output that was rendered ahead: each record about whose owner earlier records
/// may tell more, with what the record itself says and where it is in the output.
final class OwnerNotes {
  struct Note {
    let finding: OwnerGlance.Finding
    let isGuest: Bool
    let pid: Int
    let sandbox: ByteSlice
    let container: ByteSlice
    /// The offset at which its line begins in the piece of the input.
    let start: Int
    /// The line number of the record, from 1.
    let line: UInt64
    /// Nanoseconds since the previous record.
    let delta: Int64
    /// Its range in the piece of the output; empty, after the previous record, if it was not rendered.
    let place: Range<Int>

    /// Whether the rendered record is right as it is; if so, its own statements are used for later records.
    func isConfirmed(by attribution: Attribution, input: Int) -> Bool {
      switch finding {
      case .stated:
        attribution.confirms(sandbox: sandbox, container, pid: pid, input: input, isGuest: isGuest)
      case .process: attribution.confirmsUnknown(pid: pid, input: input)
      case .nothing: true
      case .open: false
      }
    }
  }

  // Touched for each record, by one thread at a time.
  @exclusivity(unchecked) private(set) var notes: [Note] = []
  @exclusivity(unchecked) private var texts = Arena()

  init() { notes.reserveCapacity(1024) }

  func add(
    _ record: borrowing Record, _ finding: OwnerGlance.Finding, start: Int, delta: Int64, place: Range<Int>
  ) {
    notes.append(
      Note(
        finding: finding, isGuest: Attribution.isGuest(record.source, record.name), pid: record.pid,
        sandbox: texts.copy(record.sandbox), container: texts.copy(record.container), start: start,
        line: record.line, delta: delta, place: place))
  }
}
