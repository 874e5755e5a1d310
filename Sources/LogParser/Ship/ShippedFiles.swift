import Bytes
import Glibc
import Logging
import System

/// The files that a shipper follows: those that its patterns match now, each from its start or from the position of an
/// earlier run. A file is followed through rotations, under every new name, until it is read completely.
///
/// Files take turns, with a limited number of records each, so that none blocks the others.
final class ShippedFiles {
  /// A file that is open; a reference, because the file itself cannot be in a dictionary.
  private final class Member {
    var file: ShippedFile
    init(_ file: consuming ShippedFile) { self.file = file }
  }

  /// What is counted for the metrics.
  struct Counts {
    var open = 0
    var waiting = 0
    var truncations: UInt64 = 0
    /// Files with unread records that disappeared while no shipper ran.
    var gone: UInt64 = 0
    var failures: UInt64 = 0
    /// Records that are too long or cannot be read.
    var leftOut: UInt64 = 0
  }

  /// The most records of a file in one turn.
  private static let turnLength = 256
  /// Milliseconds between two searches for new and rotated files.
  private static let scanInterval = 1000
  /// Milliseconds for which a file is still read after it was moved or removed: its writer may have it open.
  private static let grace = 5000

  /// Nanoseconds before the last look from which on rotated files are looked for: the clock that stamps files ticks every
  /// few milliseconds. Files are kept in mind for longer than that.
  private static let slack: Int64 = 2_000_000_000
  /// Nanoseconds for which a closed file is kept in mind at least.
  private static let memory: UInt64 = 10_000_000_000

  private let patterns: [String]
  private let limit: Int
  private let options: InputOptions
  private let log: StructuredLog
  private let attribution: Attribution
  private var members: [FilePlace.Identity: Member] = [:]
  /// The order of turns.
  private var order: [FilePlace.Identity] = []
  /// Files that still exist and have nothing more to read.
  private var finished: [FilePlace.Identity: FilePlace] = [:]
  /// Positions of an earlier run whose files are not found yet.
  private var resumed: [FilePlace]
  /// When files were looked for last, by this run or the one before, in nanoseconds since 1970: a rotated file that was
  /// written to later may never have been seen. It is noted with the places.
  private(set) var lookedAt: Int64
  /// Paths of files that are not followed because too many are open.
  private var waiting: [FilePlace.Identity: String] = [:]
  private var nextScan = 0
  private(set) var counts = Counts()

  init(
    _ configuration: ShipConfiguration, resuming positions: ShipPositions, _ attribution: Attribution,
    _ log: StructuredLog
  ) {
    patterns = configuration.paths
    limit = configuration.fileLimit
    var rules = ReadingRules()
    rules.isLenient = true
    rules.allowsMissingFields = true
    options = InputOptions(rules: rules, recordLimit: configuration.recordLimit)
    resumed = positions.files
    lookedAt = positions.time
    self.attribution = attribution
    self.log = log
  }

  /// How far all files were read.
  var places: [FilePlace] {
    order.compactMap { members[$0]?.file.checkedPlace() } + finished.values + resumed
  }

  /// Reads some records of each file.
  ///
  /// - Parameter take: gets each record, the file's index with the attribution, and its place; false when it does not take
  ///   the record because the service stops: the next run begins with it.
  /// - Returns: whether any file gave its turn's worth and may have more.
  func turn(_ record: inout Record, now: Int, _ take: (inout Record, Int, FilePlace) -> Bool) -> Bool {
    if now >= nextScan { scan(now) }
    var hasMore = false
    for identity in order {
      guard let member = members[identity] else { continue }
      member.file.resume()
      switch read(member, &record, take) {
      case .stopped: return false
      case .more: hasMore = true
      case .end: end(member, identity, now)
      }
    }
    return hasMore
  }

  private enum Turn { case more, end, stopped }

  private func read(
    _ member: Member, _ record: inout Record, _ take: (inout Record, Int, FilePlace) -> Bool
  ) -> Turn {
    for _ in 0..<Self.turnLength {
      switch member.file.next(into: &record) {
      case .record:
        guard take(&record, member.file.index, member.file.place) else {
          member.file.giveBack()
          return .stopped
        }
      case .problem(let problem, let line):
        counts.leftOut += 1
        log.limited(
          .warning, by: member.file.place.path, "a record was left out",
          ["file": member.file.place.path, "line": String(line), "reason": problem.reason])
      case .end: return .end
      }
    }
    return .more
  }

  /// Closes a file that has nothing more at present, if nothing more will come.
  private func end(_ member: Member, _ identity: FilePlace.Identity, _ now: Int) {
    counts.truncations += UInt64(member.file.takeTruncations())
    if let failure = member.file.failure {
      counts.failures += 1
      log.warning("a file cannot be read any further", ["reason": failure.description])
      close(identity, isDone: false)
      return
    }
    guard let moved = member.file.movedSince, now - moved >= Self.grace else { return }
    if member.file.endFollowing() { return }
    close(identity, isDone: true)
  }

  private func close(_ identity: FilePlace.Identity, isDone: Bool) {
    guard let member = members.removeValue(forKey: identity) else { return }
    order.removeAll { $0 == identity }
    attribution.removeInput(member.file.index)
    var place = member.file.checkedPlace()
    place.closedAt = WallClock.nanoseconds
    finished[identity] = place
    counts.open = members.count
  }

  // MARK: Looking for files

  private func scan(_ now: Int) {
    nextScan = now + Self.scanInterval
    let began = Int64(clamping: WallClock.nanoseconds)
    let paths = PathPattern.files(patterns)
    var present: Set<FilePlace.Identity> = []
    var waiting: [FilePlace.Identity: String] = [:]
    for path in paths {
      guard let identity = FilePlace.Identity.of(path) else { continue }
      present.insert(identity)
      if let member = members[identity] {
        member.file.movedSince = nil
        continue
      }
      if let place = finished[identity], !hasGrown(path, place) { continue }
      if members.count >= limit {
        waiting[identity] = path
        continue
      }
      open(path, identity)
    }
    for (identity, member) in members where !present.contains(identity) && member.file.movedSince == nil {
      member.file.movedSince = now
    }
    // A file that was rotated while it waited is read under its new name; if it was removed, that is reported.
    for (identity, path) in self.waiting
    where !present.contains(identity) && members[identity] == nil && finished[identity] == nil {
      resumed.append(FilePlace(path: path, identity: identity))
    }
    findMoved()
    findRotated()
    lookedAt = began
    forget(present)
    noteWaiting(waiting.count)
    self.waiting = waiting
  }

  private func hasGrown(_ path: String, _ place: FilePlace) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    // It was closed at its end: it has more, or was truncated, only if it was written to since.
    return place.size >= 0 && Int(status.st_size) != place.size
  }

  private func open(_ path: String, _ identity: FilePlace.Identity) {
    let place =
      resumed.firstIndex { $0.identity == identity }.map { resumed.remove(at: $0) }
      ?? finished.removeValue(forKey: identity) ?? FilePlace(path: path, identity: identity)
    do throws(InputFailure) {
      let index = attribution.addInput(path)
      members[identity] = Member(try ShippedFile.open(path, place, index: index, options))
      order.append(identity)
      counts.open = members.count
      log.debug("a file is followed", ["file": path, "offset": String(place.offset)])
    } catch {
      counts.failures += 1
      var closed = place
      closed.size = FilePlace.size(of: path)
      finished[identity] = closed
      log.warning("a file cannot be read", ["reason": error.description])
    }
  }

  /// Looks for files that were rotated while no shipper ran, in their directories.
  private func findMoved() {
    for place in resumed {
      let directory = AtomicFile.directoryName(of: place.path)
      let names = (try? DirectoryListing.names(in: directory)) ?? []
      let moved = names.lazy.map { "\(directory)/\($0)" }.first {
        FilePlace.Identity.of($0) == place.identity
      }
      if let moved {
        open(moved, place.identity)
        continue
      }
      resumed.removeAll { $0.identity == place.identity }
      counts.gone += 1
      log.warning(
        "a file has gone before it was read to its end: what it had behind the last delivered record is lost",
        ["file": place.path, "offset": String(place.offset)])
    }
  }

  /// Looks for files that came and were rotated since the last look, or while no shipper ran.
  private func findRotated() {
    for path in PathPattern.rotated(patterns, since: lookedAt - Self.slack) {
      guard let identity = FilePlace.Identity.of(path), members[identity] == nil, finished[identity] == nil
      else {
        continue
      }
      open(path, identity)
    }
  }

  /// Forgets the positions of files that no longer have a name under which new files are searched for. A rotated file
  /// is remembered until it counts as older than the noted positions: see ``findRotated(_:)``.
  private func forget(_ present: Set<FilePlace.Identity>) {
    let now = WallClock.nanoseconds
    for (identity, place) in finished where !present.contains(identity) {
      if now > place.closedAt + Self.memory { finished[identity] = nil }
    }
  }

  private func noteWaiting(_ waiting: Int) {
    if waiting > 0, counts.waiting == 0 {
      log.warning(
        "some files are not followed: too many are open",
        ["waiting": String(waiting), "remedy": "raise max-files under [files]"])
    }
    counts.waiting = waiting
  }
}
