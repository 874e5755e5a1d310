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
  /// Determines the owners of the file's records. Records affect the attribution of later ones, so the pieces of the
  /// file are then rendered one after the other, on one thread.
  let attribution: Attribution?

  init(
    reader: LogfmtRecord, names: InputNames, file: File? = nil, store: Store? = nil,
    attribution: Attribution? = nil
  ) {
    self.reader = reader
    self.names = names
    self.file = file
    self.store = store
    self.attribution = attribution
  }
}
