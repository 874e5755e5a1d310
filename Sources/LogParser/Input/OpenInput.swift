import System

/// One input while it is read: its lines, and the reader that turns them into records.
struct OpenInput: ~Copyable {
  let index: Int
  let item: InputPath
  private var file: InputFile
  private var reader: RecordReader

  /// - Parameters:
  ///   - tellsPauses: whether ``next(into:)`` tells when it would wait for a pipe.
  ///   - chunkSize: how many bytes are read at a time.
  ///   - offset: where reading begins, in a file.
  static func open(
    _ item: InputPath, _ index: Int, _ options: InputOptions, isFollowed: Bool, tellsPauses: Bool,
    chunkSize: Int = LineReader.defaultChunkSize, offset: Int = 0
  ) throws(InputFailure) -> OpenInput {
    let file = try InputFile.open(
      item, options, isFollowed: isFollowed, tellsPauses: tellsPauses,
      chunkSize: chunkSize, offset: offset)
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

  /// As ``LineReader/keepsOffsets()``.
  mutating func keepsOffsets() { file.lines.keepsOffsets() }

  /// As ``LineReader/offset(ofLine:)``.
  mutating func offset(ofLine line: UInt64) -> Int? { file.lines.offset(ofLine: line) }

  /// Up to `count` bytes of the file at `offset`; nil when they cannot be read.
  func bytes(at offset: Int, count: Int) -> [UInt8]? { file.lines.bytes(at: offset, count: count) }

  /// Lines that were read.
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
