import System

/// One input while it is read: its lines, and the reader that turns them into records.
struct OpenInput: ~Copyable {
  let index: Int
  let item: InputPath
  private var file: InputFile
  private var reader: RecordReader

  /// - Parameters:
  ///   - tellsPauses: whether ``next(into:)`` returns a pause instead of waiting for a pipe.
  ///   - chunkSize: the number of bytes per read.
  static func open(
    _ item: InputPath, _ index: Int, _ options: InputOptions, isFollowed: Bool, tellsPauses: Bool,
    chunkSize: Int = LineReader.defaultChunkSize
  ) throws(InputFailure) -> OpenInput {
    let file = try InputFile.open(
      item, options, isFollowed: isFollowed, tellsPauses: tellsPauses,
      chunkSize: chunkSize)
    let reader = RecordReader(
      format: options.format, rules: options.rules, reference: file.reference,
      recordLimit: options.recordLimit, isFollowed: isFollowed)
    return OpenInput(index: index, item: item, file: file, reader: reader)
  }

  private init(
    index: Int, item: InputPath, file: consuming InputFile, reader: consuming RecordReader
  ) {
    self.index = index
    self.item = item
    self.file = file
    self.reader = reader
  }

  /// Reads the next record. If the rest of a file cannot be read, it ends here: ``finish()`` says why.
  @inline(__always)
  mutating func next(into record: inout Record) -> RecordReader.Outcome {
    reader.next(&file.lines, into: &record)
  }

  /// The number of lines read.
  var lineCount: UInt64 { mutating get { reader.lineCount } }

  /// As ``RecordReader/shape``.
  var shape: String { mutating get { reader.shape } }
  /// Whether a record of several lines waits for the next of them.
  mutating func holdsBlock() -> Bool { reader.holdsBlock }

  /// As ``LineReader/waitUntilReadable(orFor:_:)``.
  func waitUntilReadable(orFor stop: Int32?, _ patience: Int32) throws(SystemCallError) -> Bool {
    try file.lines.waitUntilReadable(orFor: stop, patience)
  }

  /// Continues after the end was reached, because the file may have grown.
  mutating func resume() { file.lines.resume() }

  /// What the lines read so far became.
  var lineCounts: LineCounts { reader.lineCounts }

  /// Whether the followed file was truncated.
  var isTruncated: Bool { file.lines.isTruncated }

  /// The size of a line whose end did not arrive.
  var unfinishedCount: Int { file.lines.unfinishedCount }

  /// Makes the reader return the records that it holds back, because nothing follows.
  mutating func endFollowing() { reader.endFollowing() }

  /// Reads a truncated followed file from its start.
  mutating func restart(_ options: InputOptions) throws(SystemCallError) {
    try file.lines.restart()
    reader = RecordReader(
      format: options.format, rules: options.rules, reference: LocalTime.now(),
      recordLimit: options.recordLimit, isFollowed: true)
  }

  /// Why the lines ended before the file did, if they did.
  var failure: InputFailure? { file.lines.failure.map { InputFailure($0, linesRead: reader.lineCount) } }

  /// How the input ended. Call it once, after the last record.
  mutating func finish() -> InputEnd {
    if let failure { return .failed(failure) }
    let end = file.finish(item.name, linesRead: reader.lineCount)
    if case .whole = end, reader.isUnused { return .empty }
    return end
  }
}
