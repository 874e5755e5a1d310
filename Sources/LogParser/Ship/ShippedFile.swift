import Bytes
import Glibc
import Logging
import System

/// A followed file, and how far it was read.
struct ShippedFile: ~Copyable {
  /// The result of ``next(into:)``.
  enum Step {
    case record
    /// A record over the size limit, or one that cannot be read, was skipped.
    case problem(RecordProblem, line: UInt64)
    /// There is nothing more at present.
    case end
  }

  /// Bytes to read at a time. Many files may be open, each with its own buffer.
  static let chunkSize = 16 << 10

  /// How far the file was read: the last record that ``next(into:)`` returned.
  private(set) var place: FilePlace
  /// The file's index in the ``Attribution``.
  let index: Int
  private var input: OpenInput
  private let options: InputOptions
  /// Whether the next record was delivered by an earlier run.
  private var skipsRecord: Bool
  private var truncations = 0
  /// The monotonic time in milliseconds at which its path began to name another file, or none.
  var movedSince: Int?
  private var isEnding = false
  private var hasEnded = false
  /// Where the record before the last one begins, and whether it was delivered: see ``giveBack()``.
  private var before = (offset: 0, isDelivered: false)
  /// The offset that the place's checksum is of.
  private var checkedOffset = -1

  /// Opens a file at the position that an earlier run noted, or at its start if that position is no longer valid.
  ///
  /// - Parameter path: where the file is now.
  static func open(
    _ path: String, _ place: FilePlace, index: Int, _ options: InputOptions
  ) throws(InputFailure) -> ShippedFile {
    var place = place
    place.path = path
    if !isWhole(place) {
      place = FilePlace(path: path, identity: place.identity)
    }
    var input = try OpenInput.open(
      InputPath(path: path), index, options, isFollowed: true, tellsPauses: false, chunkSize: chunkSize,
      offset: place.offset)
    input.keepsOffsets()
    return ShippedFile(place: place, index: index, input: input, options: options)
  }

  private init(place: FilePlace, index: Int, input: consuming OpenInput, options: InputOptions) {
    self.place = place
    self.index = index
    self.input = input
    self.options = options
    skipsRecord = place.isDelivered
  }

  private static func isWhole(_ place: FilePlace) -> Bool {
    guard let file = try? FileDescriptor.open(place.path, O_RDONLY | O_NONBLOCK) else { return false }
    return place.holds(in: file)
  }

  /// Reads the next record and notes its position.
  mutating func next(into record: inout Record) -> Step {
    while true {
      switch input.next(into: &record) {
      case .record, .flawed:
        if note(record.line) { continue }
        return .record
      case .problem(let problem, let line):
        if note(line) { continue }
        return .problem(problem, line: line)
      case .pause: return .end
      case .end:
        guard input.isTruncated else { return .end }
        if !startAgain() { return .end }
      }
    }
  }

  /// Makes the record that begins on this line the last one; true if an earlier run delivered it.
  private mutating func note(_ line: UInt64) -> Bool {
    let offset = input.offset(ofLine: line)
    defer { skipsRecord = false }
    if skipsRecord, offset == place.offset { return true }
    before = (place.offset, place.isDelivered)
    if let offset {
      place.offset = offset
      place.isDelivered = true
    }
    return false
  }

  /// Says that the record that ``next(into:)`` gave last could not be delivered: the place is before it again. Nothing may
  /// be read after that, as the reader itself does not go back.
  mutating func giveBack() {
    (place.offset, place.isDelivered) = before
  }

  /// Reads the truncated file from its start, once its reader has given what it held back; false if that fails.
  private mutating func startAgain() -> Bool {
    if !isEnding {
      isEnding = true
      input.endFollowing()
      return true
    }
    isEnding = false
    guard (try? input.restart(options)) != nil else { return false }
    input.keepsOffsets()
    place = FilePlace(path: place.path, identity: place.identity)
    checkedOffset = -1
    skipsRecord = false
    truncations += 1
    return true
  }

  /// The position, with what proves that the file is still the same.
  mutating func checkedPlace() -> FilePlace {
    if place.isDelivered, place.offset != checkedOffset,
      let bytes = input.bytes(at: place.offset, count: FilePlace.checkedBytes)
    {
      place.check(bytes)
      checkedOffset = place.offset
    }
    return place
  }

  /// Continues at the previous end: the file may have grown.
  mutating func resume() { input.resume() }

  /// Makes the reader return what it holds back, because nothing follows; false if this was done before.
  mutating func endFollowing() -> Bool {
    if hasEnded {
      place.size = FilePlace.size(of: place.path)
      return false
    }
    hasEnded = true
    input.endFollowing()
    return true
  }

  /// The number of truncations since the last call.
  mutating func takeTruncations() -> Int {
    defer { truncations = 0 }
    return truncations
  }

  /// Bytes of a line that is not complete yet.
  var unfinishedCount: Int { input.unfinishedCount }

  /// Why the file cannot be read any further.
  var failure: InputFailure? { input.failure }
}
