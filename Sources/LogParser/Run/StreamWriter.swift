import Bytes
import System

/// Writes records one by one.
struct StreamWriter<Formatter: RecordFormatter>: ~Copyable {
  private static var flushSize: Int { 64 << 10 }

  private let formatter: Formatter
  private let names: InputNames
  private let isFollowed: Bool
  /// Readable when the user has ended the run, which a slow reader must not delay.
  private let stop: Int32?
  private var target: OutputTarget
  private var pending = OutputBuffer()
  private var place = RecordPlace(filename: .empty, count: 0, delta: 0)
  private var previous: Timestamp?

  init(
    _ formatter: Formatter, _ names: InputNames, _ target: consuming OutputTarget, isFollowed: Bool,
    stop: Int32?
  ) {
    self.formatter = formatter
    self.names = names
    self.isFollowed = isFollowed
    self.stop = target.reader.isWatched ? stop : nil
    self.target = target
  }

  /// Whether the reader has closed the output, or the run was ended while the reader lagged behind.
  var isClosed: Bool { target.isClosed }
  /// Whether written data can be read during the run.
  var isVisible: Bool { target.isVisible }
  var reader: OutputReader { target.reader }

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
    if let stop {
      try target.write(pending.bytes, orStop: stop)
    } else {
      try target.write(pending.bytes)
    }
    pending.removeAll()
  }

  /// Syncs the output to disk if it is a file.
  func sync() throws(SystemCallError) { try target.sync() }

  /// Writes the part after the last record.
  mutating func end() throws(SystemCallError) {
    formatter.end(&pending, count: place.count)
    try flush()
  }

  consuming func finish() throws(SystemCallError) { try target.finish() }

  /// As ``OutputTarget/deliver(orStop:)``.
  consuming func deliver() throws(SystemCallError) -> Bool { try target.deliver(orStop: stop) }
}
