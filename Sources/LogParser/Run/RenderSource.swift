import Synchronization
import System

/// The shared input of a run's renderers, which does not change while they work.
///
/// Unchecked: the slices in `names` borrow memory that ``names`` itself owns and nothing writes to.
final class RenderSource: @unchecked Sendable {
  /// A file, which is read at any offset.
  final class File: Sendable {
    let descriptor: FileDescriptor
    let name: String
    let input: Int

    init(_ descriptor: consuming FileDescriptor, name: String, input: Int) {
      self.descriptor = descriptor
      self.name = name
      self.input = input
    }
  }

  /// Stored records.
  final class Store {
    let contents: RecordStore
    init(_ contents: consuming RecordStore) { self.contents = contents }
  }

  let reader: LogfmtRecord
  let names: InputNames
  let file: File?
  let store: Store?
  /// Finds out whom the records of the file belong to. What a record says tells of later ones: it is asked by one thread
  /// alone, in order.
  let attribution: Attribution?
  /// Whether pieces are made before those before them were, to be made good by ``OwnerMending``.
  let rendersAhead: Bool
  private let isAheadStopped = Atomic(false)

  /// Whether a piece that is begun now is made ahead, too.
  var isAheadWorthwhile: Bool { !isAheadStopped.load(ordering: .relaxed) }

  /// From now on pieces are left to be made in order: little of what is made ahead would stay.
  func stopAhead() { isAheadStopped.store(true, ordering: .relaxed) }

  init(
    reader: LogfmtRecord, names: InputNames, file: File? = nil, store: Store? = nil,
    attribution: Attribution? = nil, threads: Int = 1
  ) {
    self.reader = reader
    self.names = names
    self.file = file
    self.store = store
    self.attribution = attribution
    // What a name tells of all records of its file is added to each of them.
    rendersAhead = threads > 1 && attribution.map { !$0.isTold(byName: file?.input ?? 0) } ?? false
  }
}
