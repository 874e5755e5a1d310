import Bytes
import Glibc
import System

/// A piece of the output, to be made by one thread.
enum RenderJob: Sendable {
  /// Lines of a file that ``SortedFilePlan`` found in order.
  case segment(SortedFilePlan.Segment)
  /// Records that lie one after the other in the spool.
  case range(offset: Int, bytes: Int, place: RenderPlace)
  /// Records of the spool in an order of their own.
  case entries([TimeIndex.Entry], place: RenderPlace)
}

/// What the first record of a piece must know of those before it.
struct RenderPlace: Sendable {
  /// The number of records before.
  var count: UInt64
  /// The time of the record before, or nil when there is none.
  var previousTime: Timestamp?
}

/// What became of a piece.
struct RenderResult {
  var statistics = ReadingStatistics()
  /// What ended the piece early: the line's number and what is wrong with it.
  var problem: (line: UInt64, RecordProblem)?
  var failure: SystemCallError?
}

/// Turns pieces of the input into pieces of the output; one for each thread.
struct RecordRenderer<Formatter: RecordFormatter>: ~Copyable {
  private let formatter: Formatter
  private let source: RenderSource
  private var record = Record()
  private var buffer = UnsafeMutableRawPointer.allocate(byteCount: 0, alignment: 4096)
  private var capacity = 0

  init(_ formatter: Formatter, _ source: RenderSource) {
    self.formatter = formatter
    self.source = source
  }

  deinit { buffer.deallocate() }

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

  /// Room for `count` bytes and the padding behind them, page-aligned; what it held before is lost.
  private mutating func room(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    let needed = count + ByteSlice.padding
    if needed > capacity {
      buffer.deallocate()
      capacity = max(needed, SortedFilePlan.segmentSize + ByteSlice.padding)
      buffer = .allocate(byteCount: capacity, alignment: 4096)
    }
    let bytes = buffer.bindMemory(to: UInt8.self, capacity: capacity)
    (bytes + count).initialize(repeating: 0, count: ByteSlice.padding)
    return bytes
  }

  private mutating func renderSegment(
    _ segment: SortedFilePlan.Segment, _ out: inout OutputBuffer, _ result: inout RenderResult
  ) throws(SystemCallError) {
    guard let file = source.file else { return }
    let bytes = room(segment.count)
    let got = try file.descriptor.read(
      at: segment.offset, into: bytes, count: segment.count, subject: file.name)
    guard got == segment.count else {
      throw SystemCallError("read", "\(file.name), which became shorter while it was read", code: EIO)
    }
    var place = RecordPlace(filename: source.names[file.input], count: segment.firstLine - 1, delta: 0)
    var previous = segment.previousTime
    var line = segment.firstLine
    var start = 0
    while start < segment.count {
      let rest = ByteSlice(base: bytes + start, count: segment.count - start, isPlain: false)
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
    guard let spool = source.spool else { return }
    let bytes = room(count)
    try spool.contents.read(at: offset, count: count, into: bytes)
    var place = RecordPlace(filename: .empty, count: start.count, delta: 0)
    var previous = start.previousTime
    var index = 0
    while index < count {
      index += RecordSpool.decode(bytes + index, into: &record)
      place.filename = source.names[record.input]
      append(&place, &previous, &out, &result)
    }
  }

  private mutating func renderEntries(
    _ entries: [TimeIndex.Entry], _ start: RenderPlace, _ out: inout OutputBuffer,
    _ result: inout RenderResult
  ) throws(SystemCallError) {
    guard let spool = source.spool else { return }
    var place = RecordPlace(filename: .empty, count: start.count, delta: 0)
    var previous = start.previousTime
    var index = 0
    while index < entries.count {
      let run = Self.contiguousRun(entries, from: index)
      let bytes = room(run.bytes)
      try spool.contents.read(at: entries[index].offset, count: run.bytes, into: bytes)
      var position = 0
      for _ in 0..<run.count {
        position += RecordSpool.decode(bytes + position, into: &record)
        place.filename = source.names[record.input]
        append(&place, &previous, &out, &result)
      }
      index += run.count
    }
  }

  /// How many entries from `first` on lie one behind the other in the spool: they are read together.
  private static func contiguousRun(
    _ entries: [TimeIndex.Entry], from first: Int
  ) -> (count: Int, bytes: Int) {
    var count = 1
    var bytes = Int(entries[first].length)
    while first + count < entries.count, bytes < 256 << 10,
      entries[first + count].offset == entries[first].offset + bytes
    {
      bytes += Int(entries[first + count].length)
      count += 1
    }
    return (count, bytes)
  }
}

/// What all renderers of a run read from. It does not change while they work.
///
/// Unchecked: the slices in `names` borrow memory that ``names`` itself owns and nothing writes to.
final class RenderSource: @unchecked Sendable {
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

  final class Spool {
    let contents: RecordSpool
    init(_ contents: consuming RecordSpool) { self.contents = contents }
  }

  let reader: LogfmtRecord
  let names: InputNames
  let file: File?
  let spool: Spool?

  init(reader: LogfmtRecord, names: InputNames, file: File? = nil, spool: Spool? = nil) {
    self.reader = reader
    self.names = names
    self.file = file
    self.spool = spool
  }
}

/// The inputs' names, as bytes that formatters can borrow.
final class InputNames: @unchecked Sendable {
  private var arena = Arena()
  private var names: [ByteSlice] = []

  init(_ names: [String]) {
    for name in names {
      let slice = arena.copy(name)
      self.names.append(
        ByteSlice(
          base: slice.base, count: slice.count, isPlain: ByteScanner.isPlain(slice.base, count: slice.count)))
    }
  }

  subscript(index: Int) -> ByteSlice { names.indices.contains(index) ? names[index] : .empty }
}
