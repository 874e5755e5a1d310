import Glibc
import System

/// Decides when to note how far the journal has been written out: once a second while records come, and whenever there
/// are none left. A place counts as written out when all records up to it are.
struct CursorNotes {
  private let file: CursorFile?
  private var lastNote: UInt64 = 0
  private var recordsSinceLook = 0
  /// A place that was read, and the number of the last record before it that the window still holds.
  private var candidate: (place: String, order: UInt64)?
  private var noted = ""

  init(path: String?) { file = path.map { CursorFile(path: $0) } }

  var isWanted: Bool { file != nil }

  /// Whether it is time to note the place: looks at the clock once in a few hundred records.
  mutating func isDue(_ window: borrowing ReorderWindow) -> Bool {
    guard file != nil else { return false }
    recordsSinceLook += 1
    guard recordsSinceLook >= 256 else { return false }
    recordsSinceLook = 0
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
    let seconds = UInt64(max(0, now.tv_sec))
    guard seconds != lastNote else { return false }
    lastNote = seconds
    return true
  }

  /// Notes the newest place up to which everything is written out, now that `place` was read.
  mutating func note(_ place: String, _ window: borrowing ReorderWindow) throws(SystemCallError) {
    if window.isEmpty { return try noteAll(place, window) }
    if let candidate, window.oldestOrder > candidate.order {
      try write(candidate.place)
      self.candidate = nil
    }
    if candidate == nil { candidate = (place, window.newestOrder) }
  }

  /// Notes `place`, if everything up to it is written out.
  mutating func noteAll(_ place: String, _ window: borrowing ReorderWindow) throws(SystemCallError) {
    guard window.isEmpty else { return }
    candidate = nil
    try write(place)
  }

  private mutating func write(_ place: String) throws(SystemCallError) {
    if place == noted { return }
    try file?.write(place)
    noted = place
  }
}
