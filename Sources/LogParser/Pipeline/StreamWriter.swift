import Bytes
import System

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
