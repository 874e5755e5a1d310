import Basics
import Glibc

extension Run {
  /// Writes each record as soon as none that comes before it can follow: at once, or when the reorder window has passed.
  func stream<F: RecordFormatter>(_ formatter: F, _ inputs: InputList) throws(Failure) {
    var source = try RecordSource(options, diagnostics, inputs, isFollowed: options.follows)
    defer { statistics.add(source.statistics) }
    var writer = StreamWriter(formatter, inputs.names, try openTarget(), isFollowed: options.follows)
    try attempt { () throws(SystemCallError) in try writer.begin() }
    var window = ReorderWindow(
      nanoseconds: options.reorderWindow ?? 0, dropsDuplicates: options.dropsDuplicates)
    defer {
      statistics.duplicates += window.duplicates
    }
    var record = Record()
    reading: while true {
      switch try source.next(into: &record) {
      case .record:
        do throws(SystemCallError) {
          try window.add(&record) { (due) throws(SystemCallError) in try writer.write(due) }
        } catch {
          throw .message(error.description)
        }
        if writer.isClosedByReader { break reading }
      case .waits:
        do throws(SystemCallError) {
          try writer.flush()
        } catch {
          throw .message(error.description)
        }
        if writer.isClosedByReader { break reading }
        if try !source.wait() { break reading }
      case .end: break reading
      }
    }
    do throws(SystemCallError) {
      try window.drain { (due) throws(SystemCallError) in try writer.write(due) }
      try writer.end()
    } catch {
      throw .message(error.description)
    }
    if window.late > 0 {
      diagnostics.warning(
        "\(window.late) records came later than the reorder window allows and stand where they came; widen --reorder-window"
      )
    }
  }
}

/// Writes records one by one.
struct StreamWriter<Formatter: RecordFormatter>: ~Copyable {
  private static var flushSize: Int { 64 << 10 }

  private let formatter: Formatter
  private let names: InputNames
  private let isFollowed: Bool
  private var target: OutputTarget
  private var pending = OutputBuffer()
  private var place = RecordPlace(filename: .empty, count: 0, delta: 0)
  private var previous: Timestamp?

  init(_ formatter: Formatter, _ names: InputNames, _ target: consuming OutputTarget, isFollowed: Bool) {
    self.formatter = formatter
    self.names = names
    self.target = target
    self.isFollowed = isFollowed
  }

  var isClosedByReader: Bool { target.isClosedByReader }

  mutating func begin() throws(SystemCallError) { formatter.begin(&pending) }

  mutating func write(_ record: borrowing Record) throws(SystemCallError) {
    place.count += 1
    place.filename = names[record.input]
    place.delta = previous.map { record.time.nanoseconds(since: $0) } ?? 0
    previous = record.time
    formatter.format(record, place, &pending)
    if isFollowed || pending.count >= Self.flushSize { try flush() }
  }

  mutating func flush() throws(SystemCallError) {
    if pending.isEmpty { return }
    try target.write(pending.bytes)
    pending.removeAll()
  }

  consuming func end() throws(SystemCallError) {
    formatter.end(&pending, count: place.count)
    try flush()
    try target.finish()
  }
}

/// Records that wait until none before them can follow: those younger than the newest one less the window.
///
/// It holds at most ``byteLimit`` bytes of records; beyond that the oldest go before their time.
struct ReorderWindow: ~Copyable {
  static let byteLimit = 16 << 20

  private struct Waiting {
    var seconds: Int64
    var nanoseconds: UInt32
    var order: UInt64
    var bytes: [UInt8]

    func precedes(_ other: Waiting) -> Bool {
      if seconds != other.seconds { return seconds < other.seconds }
      if nanoseconds != other.nanoseconds { return nanoseconds < other.nanoseconds }
      return order < other.order
    }
  }

  private let nanoseconds: Int64
  private let dropsDuplicates: Bool
  /// A heap: the earliest record is the first.
  private var waiting: [Waiting] = []
  private var byteCount = 0
  private var order: UInt64 = 0
  private var newest: Timestamp?
  private var written: Timestamp?
  private var scratch = OutputBuffer(capacity: 64 << 10)
  private var record = Record()
  /// The identities of the records of the last moments; see ``SpooledRecords/identity(of:)``.
  private var seen: [UInt64: Timestamp] = [:]
  /// Records that came after one that was written already and is younger.
  private(set) var late: UInt64 = 0
  private(set) var duplicates: UInt64 = 0

  init(nanoseconds: Int64, dropsDuplicates: Bool) {
    self.nanoseconds = nanoseconds
    self.dropsDuplicates = dropsDuplicates
  }

  /// Takes a record, and gives those that are due to `write`.
  mutating func add(
    _ record: inout Record, _ write: (borrowing Record) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    if dropsDuplicates, isDuplicate(record) {
      duplicates += 1
      return
    }
    if nanoseconds == 0 { return try write(record) }
    if let written, record.time < written { late += 1 }
    if newest.map({ record.time > $0 }) ?? true { newest = record.time }
    push(record)
    guard let newest else { return }
    while let first = waiting.first {
      let time = Timestamp(seconds: first.seconds, nanoseconds: first.nanoseconds)
      guard newest.nanoseconds(since: time) >= nanoseconds || byteCount > Self.byteLimit else { return }
      try writeFirst(write)
    }
  }

  /// Gives all that still waits to `write`.
  mutating func drain(
    _ write: (borrowing Record) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    while !waiting.isEmpty { try writeFirst(write) }
  }

  private mutating func isDuplicate(_ record: borrowing Record) -> Bool {
    let identity = SpooledRecords.identity(of: record)
    if seen[identity] == record.time { return true }
    // Copies come within moments of each other: what is forgotten here is old.
    if seen.count >= 16_384 { seen.removeAll(keepingCapacity: true) }
    seen[identity] = record.time
    return false
  }

  private mutating func push(_ record: borrowing Record) {
    scratch.removeAll()
    _ = RecordSpool.encode(record, into: &scratch)
    var bytes = Array(scratch.bytes)
    bytes.append(contentsOf: repeatElement(0, count: ByteSlice.padding))
    byteCount += bytes.count + 48
    order += 1
    waiting.append(
      Waiting(seconds: record.time.seconds, nanoseconds: record.time.nanoseconds, order: order, bytes: bytes))
    var child = waiting.count - 1
    while child > 0, case let parent = (child - 1) / 2, waiting[child].precedes(waiting[parent]) {
      waiting.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func writeFirst(
    _ write: (borrowing Record) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    let first = popFirst()
    byteCount -= first.bytes.count + 48
    scratch.removeAll()
    first.bytes.withUnsafeBytes { scratch.append($0) }
    guard let base = scratch.bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    _ = RecordSpool.decode(base, into: &record)
    written = record.time
    try write(record)
  }

  private mutating func popFirst() -> Waiting {
    waiting.swapAt(0, waiting.count - 1)
    let first = waiting.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < waiting.count {
        if waiting[child].precedes(waiting[least]) { least = child }
      }
      if least == parent { return first }
      waiting.swapAt(parent, least)
      parent = least
    }
  }
}
