import Bytes
import Glibc
import System

/// Turns pieces of the input into pieces of the output; each thread has one.
struct RecordRenderer<Formatter: RecordFormatter>: ~Copyable {
  private let formatter: Formatter
  private let source: RenderSource
  private let attribution: Attribution?
  /// The number of bytes read at a time of records that are out of order.
  private static var partLimit: Int { 1 << 20 }
  private var redactor = Redactor()
  private var record = Record()
  private var block = PageBlock(capacity: FileSegment.size)
  /// Whether pieces are made before those before them: nothing is then asked of the attribution.
  private let isAhead: Bool
  private let glance = OwnerGlance()

  init(_ formatter: Formatter, _ source: RenderSource, isAhead: Bool) {
    self.formatter = formatter
    self.source = source
    self.isAhead = isAhead
    attribution = isAhead ? nil : source.attribution
  }

  /// Appends the piece of output for `job` to `out`.
  mutating func render(_ job: RenderJob, _ out: inout OutputBuffer) -> RenderResult {
    var result = RenderResult()
    do throws(SystemCallError) {
      switch job {
      case .segment(let segment): try renderSegment(segment, &out, &result)
      case .range(let offset, let bytes, let place): try renderRange(offset, bytes, place, &out, &result)
      case .entries(let entries, let place): try renderEntries(entries, place, &out, &result)
      }
    } catch {
      result.failure = error
    }
    formatter.finishPiece(&out)
    return result
  }

  /// Reads a piece of the file into the block.
  mutating func read(_ segment: FileSegment) throws(SystemCallError) {
    guard let file = source.file else { return }
    try block.read(file.descriptor, at: segment.offset, count: segment.count, subject: file.name)
    guard block.count == segment.count else {
      throw SystemCallError("read", "\(file.name), which became shorter while it was read", code: EIO)
    }
  }

  private mutating func renderSegment(
    _ segment: FileSegment, _ out: inout OutputBuffer, _ result: inout RenderResult
  ) throws(SystemCallError) {
    guard let file = source.file else { return }
    if isAhead, !source.isAheadWorthwhile {
      result.left = segment
      return
    }
    try read(segment)
    let notes = isAhead ? OwnerNotes() : nil
    (result.segment, result.notes) = (segment, notes)
    var place = RecordPlace(filename: source.names[file.input], count: segment.firstLine - 1, delta: 0)
    var previous = segment.previousTime
    var line = segment.firstLine
    var start = 0
    defer { result.noteLines(line - segment.firstLine) }
    while start < segment.count {
      let length: Int
      do throws(RecordProblem) {
        length = try readLine(at: start, line, file)
      } catch {
        result.problem = (line, error)
        return
      }
      advance(&place, &previous, &result)
      if let notes {
        formatAhead(place, start, notes, &out)
      } else {
        attribution?.fill(&record, input: file.input)
        if source.redacts { redact(&result) }
        formatter.format(record, place, &out)
      }
      line += 1
      start += length + 1
    }
  }

  // Apart, as the code of the records that stay as they are is to be short.
  @inline(never)
  private mutating func redact(_ result: inout RenderResult) {
    result.statistics.redacted += redactor.redact(&record)
  }

  /// Reads the line that begins at a place of the block; returns its length.
  @inline(__always)
  private mutating func readLine(
    at start: Int, _ line: UInt64, _ file: RenderSource.File
  ) throws(RecordProblem) -> Int {
    let rest = block.slice(from: start)
    record.reset()
    record.line = line
    record.input = file.input
    do throws(RecordProblem) {
      return try source.reader.parseFirstLine(of: rest, into: &record)
    } catch {
      guard source.reader.rules.isLenient else { throw error }
      return readLeniently(rest, line, file)
    }
  }

  /// Makes the record as if no earlier one told of its owner, and notes what it says itself.
  @inline(never)
  private mutating func formatAhead(
    _ place: RecordPlace, _ start: Int, _ notes: OwnerNotes, _ out: inout OutputBuffer
  ) {
    let finding = glance.finding(record)
    let before = out.count
    if finding != .open { formatter.format(record, place, &out) }
    if finding == .nothing { return }
    notes.add(record, finding, start: start, delta: place.delta, place: before..<out.count)
  }

  /// Renders a record of the last piece again; throws if the file has changed in the meantime.
  mutating func render(_ note: OwnerNotes.Note, _ out: inout OutputBuffer) throws(RecordProblem) {
    guard let file = source.file else { return }
    _ = try readLine(at: note.start, note.line, file)
    attribution?.fill(&record, input: file.input)
    let place = RecordPlace(filename: source.names[file.input], count: note.line, delta: note.delta)
    formatter.format(record, place, &out)
  }

  /// Reads the first line of `text` that the rules refuse; returns its length. It begins with a time, which was read when
  /// the file was found to be in order.
  @inline(never)
  private mutating func readLeniently(_ text: ByteSlice, _ line: UInt64, _ file: RenderSource.File) -> Int {
    let length = text.firstIndex(of: 0x0a) ?? text.count
    record.reset()
    record.line = line
    record.input = file.input
    LenientLogfmt.read(
      text.prefix(length).droppingLast(UInt8(ascii: "\r")), into: &record, rules: source.reader.rules)
    record.markTime(source.reader.rules)
    if attribution == nil, record.isInferred { record.setInferred([]) }
    return length
  }

  /// Counts the record that was read, and says of it what comes before it.
  @inline(__always)
  private mutating func advance(
    _ place: inout RecordPlace, _ previous: inout Timestamp?, _ result: inout RenderResult
  ) {
    place.count += 1
    place.delta = previous.map { record.time.nanoseconds(since: $0) } ?? 0
    previous = record.time
    result.statistics.note(record)
  }

  private mutating func renderRange(
    _ offset: Int, _ count: Int, _ start: RenderPlace, _ out: inout OutputBuffer,
    _ result: inout RenderResult
  ) throws(SystemCallError) {
    guard let store = source.store else { return }
    try store.contents.read(at: offset, count: count, into: &block)
    var place = RecordPlace(filename: .empty, count: start.count, delta: 0)
    var previous = start.previousTime
    var index = 0
    while index < count {
      index += try decode(at: index, of: store)
      place.filename = source.names[record.input]
      advance(&place, &previous, &result)
      formatter.format(record, place, &out)
    }
  }

  /// Decodes the record at an offset in the block, and returns its length.
  @inline(__always)
  private mutating func decode(
    at place: Int, of store: RenderSource.Store
  ) throws(SystemCallError) -> Int {
    guard let length = StoredRecord.decode(block.slice(from: place), into: &record) else {
      throw store.contents.damage
    }
    return length
  }

  private mutating func renderEntries(
    _ entries: [TimeIndex.Entry], _ start: RenderPlace, _ out: inout OutputBuffer,
    _ result: inout RenderResult
  ) throws(SystemCallError) {
    guard let store = source.store else { return }
    var place = RecordPlace(filename: .empty, count: start.count, delta: 0)
    var previous = start.previousTime
    var first = 0
    while first < entries.count {
      let part = Self.part(of: entries, from: first)
      try store.contents.read(part.pieces, part.bytes, into: &block)
      for position in part.positions {
        _ = try decode(at: position, of: store)
        place.filename = source.names[record.input]
        advance(&place, &previous, &result)
        formatter.format(record, place, &out)
      }
      first += part.positions.count
    }
  }

  /// The next batch to read of the entries from `first` on: the pieces of the store, and where each entry's record
  /// begins in their concatenation. Consecutive records in the store form one piece.
  private static func part(
    of entries: [TimeIndex.Entry], from first: Int
  ) -> (pieces: [(offset: Int, count: Int)], bytes: Int, positions: [Int]) {
    var end = first
    var bytes = 0
    while end < entries.count, end == first || bytes + Int(entries[end].length) <= partLimit {
      bytes += Int(entries[end].length)
      end += 1
    }
    var pieces: [(offset: Int, count: Int)] = []
    var positions = [Int](repeating: 0, count: end - first)
    var position = 0
    for index in (first..<end).sorted(by: { entries[$0].offset < entries[$1].offset }) {
      let (offset, length) = (entries[index].offset, Int(entries[index].length))
      positions[index - first] = position
      position += length
      if let last = pieces.indices.last, pieces[last].offset + pieces[last].count == offset {
        pieces[last].count += length
      } else {
        pieces.append((offset, length))
      }
    }
    return (pieces, bytes, positions)
  }
}
