import Bytes

/// What a piece of the output that was made ahead leaves open: for each record of whose owner earlier ones may tell more,
/// what it says of it and where it stands.
final class OwnerNotes {
  struct Note {
    let finding: OwnerGlance.Finding
    let isGuest: Bool
    let pid: Int
    let sandbox: ByteSlice
    let container: ByteSlice
    /// Where its line begins in the piece of the input.
    let start: Int
    /// The number of its line, from 1, and so of the record.
    let line: UInt64
    /// Nanoseconds since the record before.
    let delta: Int64
    /// Where it stands in the piece of the output; nowhere, but behind the record before, if it was not made at all.
    let place: Range<Int>

    /// Whether what was made of the record stays as it is; later records are told by what it says then.
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
