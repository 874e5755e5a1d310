import Glibc
import System

/// Decides when to save the cursor while the journal is followed.
///
/// A position is reached once all records up to it are written. For a file it is saved then, at most once a second. A
/// pipe's reader may exit with unprocessed records, so a position is saved only after the pipe was empty, and the
/// reader has stayed alive for another second.
struct CursorNotes {
  /// How long, in milliseconds, the reader must stay alive after it has read everything, and how often to save.
  private static let interval: UInt64 = 1000

  private let file: CursorFile?
  private let reader: OutputReader
  private var lastLook: UInt64 = 0
  private var recordsSinceLook = 0
  /// A position that was read, and the number of the last record before it that the window still holds.
  private var awaited: (place: String, order: UInt64)?
  /// The latest position up to which everything is written.
  private var reached: String?
  /// The position when the reader was last seen to have read everything, and the time of that.
  private var taken: (place: String, time: UInt64)?
  private var noted = ""
  private var lastNote: UInt64 = 0

  init(path: String?, reader: OutputReader) {
    file = path.map { CursorFile(path: $0) }
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

  /// Whether it is time to settle while records keep arriving: checks the clock once in a few hundred records.
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

  /// Notes that `place` was read, and that everything up to it is written except what the window holds.
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

  /// Once a second, lets a slow reader catch up: otherwise the pipe might never be seen empty.
  func pause(orStop stop: Int32?) {
    if taken == nil, reached != nil { _ = reader.waitUntilRead(orStop: stop) }
  }

  /// Saves the position that can be saved by now.
  ///
  /// - Parameter sync: syncs the output to disk; called before saving if the output is a file.
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

  /// Saves the position of everything written: the reader has it, or it is on disk.
  mutating func noteEverything() throws(SystemCallError) {
    let place = reached ?? taken?.place
    taken = nil
    if let place { try note(place, Self.now) }
  }

  private mutating func note(_ place: String, _ now: UInt64) throws(SystemCallError) {
    if reached == place { reached = nil }
    if place == noted { return }
    try file?.write(place)
    noted = place
    lastNote = now
  }
}
