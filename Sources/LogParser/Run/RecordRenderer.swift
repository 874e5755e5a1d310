import Bytes
import Glibc
import System

/// Turns pieces of the input into pieces of the output; one for each thread.
struct RecordRenderer<Formatter: RecordFormatter>: ~Copyable {
  private let formatter: Formatter
  private let source: RenderSource
  private let attribution: Attribution?
  private var record = Record()
  private var block = PageBlock(capacity: FileSegment.size)

  init(_ formatter: Formatter, _ source: RenderSource) {
    self.formatter = formatter
    self.source = source
    attribution = source.attribution
  }

  /// Makes the piece of output for `job`, at the end of `out`.
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
    return result
  }

  private mutating func renderSegment(
    _ segment: FileSegment, _ out: inout OutputBuffer, _ result: inout RenderResult
  ) throws(SystemCallError) {
    guard let file = source.file else { return }
    try block.read(file.descriptor, at: segment.offset, count: segment.count, subject: file.name)
    guard block.count == segment.count else {
      throw SystemCallError("read", "\(file.name), which became shorter while it was read", code: EIO)
    }
    var place = RecordPlace(filename: source.names[file.input], count: segment.firstLine - 1, delta: 0)
    var previous = segment.previousTime
    var line = segment.firstLine
    var start = 0
    while start < segment.count {
      let rest = block.slice(from: start)
      let length: Int
      record.reset()
      record.line = line
      record.input = file.input
      do throws(RecordProblem) {
        length = try source.reader.parseFirstLine(of: rest, into: &record)
      } catch {
        result.problem = (line, error)
        return
      }
      if let attribution {
        record.set(
          attribution.owner(of: &record, input: file.input), isMarked: attribution.marksInferred)
      }
      append(&place, &previous, &out, &result)
      line += 1
      start += length + 1
    }
  }

  @inline(__always)
  private mutating func append(
    _ place: inout RecordPlace, _ previous: inout Timestamp?, _ out: inout OutputBuffer,
    _ result: inout RenderResult
  ) {
    place.count += 1
    place.delta = previous.map { record.time.nanoseconds(since: $0) } ?? 0
    previous = record.time
    result.statistics.note(record)
    formatter.format(record, place, &out)
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
      append(&place, &previous, &out, &result)
    }
  }

  /// Takes the record at a place of the block apart, and returns its length.
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
    var index = 0
    while index < entries.count {
      let run = Self.contiguousRun(entries, from: index)
      try store.contents.read(at: entries[index].offset, count: run.bytes, into: &block)
      var position = 0
      for _ in 0..<run.count {
        position += try decode(at: position, of: store)
        place.filename = source.names[record.input]
        append(&place, &previous, &out, &result)
      }
      index += run.count
    }
  }

  /// How many entries from `first` on lie one behind the other in the store: they are read together.
  private static func contiguousRun(
    _ entries: [TimeIndex.Entry], from first: Int
  ) -> (count: Int, bytes: Int) {
    var count = 1
    var bytes = Int(entries[first].length)
    while first + count < entries.count, bytes < FileSegment.size,
      entries[first + count].offset == entries[first].offset + bytes
    {
      bytes += Int(entries[first + count].length)
      count += 1
    }
    return (count, bytes)
  }
}
