import Glibc
import System

/// Decides, while the journal is followed, when to note how far it has been written out.
///
/// A place is reached when all records up to it are written. In a file it is noted then, once a second at most. A pipe's
/// reader may end with records in hand, so there a place is noted only after a moment at which the pipe was empty, and
/// when the reader has lived for another second after it.
struct CursorNotes {
  /// How long, in milliseconds, the reader must live after it has read everything, and how often notes are written.
  private static let interval: UInt64 = 1000

  private let file: CursorFile?
  /// What saves a place once everything up to it is acknowledged, where records are delivered.
  private let delivery: RecordDelivery?
  private let reader: OutputReader
  private var lastLook: UInt64 = 0
  private var recordsSinceLook = 0
  /// A place that was read, and the number of the last record before it that the window still holds.
  private var awaited: (place: String, order: UInt64)?
  /// The newest place up to which everything is written.
  private var reached: String?
  /// A place up to which everything was read when the reader was seen to have read everything, and the time of that.
  private var taken: (place: String, time: UInt64)?
  private var noted = ""
  private var lastNote: UInt64 = 0

  init(path: String?, reader: OutputReader, delivery: RecordDelivery? = nil) {
    file = path.map { CursorFile(path: $0) }
    self.delivery = delivery
    self.reader = reader
  }

  var isWanted: Bool { file != nil }

  /// How long, in milliseconds, to wait for new entries before ``settle(_:)`` is due; negative for any time.
  var patience: Int32 {
    guard isWanted else { return -1 }
    let now = Self.now
    if let taken { return Self.milliseconds(until: taken.time + Self.interval, now) }
    if reached == nil { return -1 }
    return reader.isWatched ? 50 : Self.milliseconds(until: lastNote + Self.interval, now)
  }

  private static func milliseconds(until time: UInt64, _ now: UInt64) -> Int32 {
    time <= now ? 0 : Int32(clamping: time - now)
  }

  private static var now: UInt64 { MonotonicClock.nanoseconds / 1_000_000 }

  /// Whether it is time to settle although records keep coming: looks at the clock once in a few hundred records.
  mutating func isDue() -> Bool {
    guard isWanted else { return false }
    recordsSinceLook += 1
    guard recordsSinceLook >= 256 else { return false }
    recordsSinceLook = 0
    let now = Self.now
    guard now >= lastLook + Self.interval else { return false }
    lastLook = now
    return true
  }

  /// Takes in that everything was written but what the window holds, now that `place` was read.
  mutating func reach(_ place: String, _ window: borrowing ReorderWindow) {
    if window.isEmpty {
      awaited = nil
      if place != noted, place != taken?.place { reached = place }
      return
    }
    if let awaited, window.oldestOrder > awaited.order {
      reached = awaited.place
      self.awaited = nil
    }
    if awaited == nil { awaited = (place, window.newestOrder) }
  }

  /// Lets a reader that is slower than the records come to its end, once a second: it has enough to read meanwhile, and
  /// otherwise the pipe might never be seen empty.
  func pause(orStop stop: Int32?) {
    if taken == nil, reached != nil { _ = reader.waitUntilRead(orStop: stop) }
  }

  /// Notes what may be noted by now.
  ///
  /// - Parameter sync: brings to disk what was written; called before a note about a file.
  mutating func settle(_ sync: () throws(SystemCallError) -> Void) throws(SystemCallError) {
    guard isWanted else { return }
    let now = Self.now
    guard reader.isWatched else {
      guard let place = reached, now >= lastNote + Self.interval else { return }
      try sync()
      return try note(place, now)
    }
    guard reader.isAlive else { return }
    if let taken, now >= taken.time + Self.interval {
      try note(taken.place, now)
      self.taken = nil
    }
    if taken == nil, let place = reached, reader.hasEverything {
      taken = (place, Self.now)
      reached = nil
    }
  }

  /// Notes everything that was written: the reader has it, or it is on disk.
  mutating func noteEverything() throws(SystemCallError) {
    let place = reached ?? taken?.place
    taken = nil
    if let place { try note(place, Self.now) }
  }

  private mutating func note(_ place: String, _ now: UInt64) throws(SystemCallError) {
    if reached == place { reached = nil }
    if place == noted { return }
    if let delivery { delivery.mark(place) } else { try file?.write(place) }
    noted = place
    lastNote = now
  }
}
