import Bytes
import Glibc
import Logging
import Synchronization
import System

/// Receives the records of a ``ShipReader``.
protocol ShipSink: AnyObject {
  /// Takes a record, and waits while there is no room for it.
  ///
  /// - Returns: false if the record was not taken because the service is stopping.
  func take(_ record: inout Record, _ place: RecordPlace) -> Bool
  /// Called between the turns.
  ///
  /// - Parameter positions: returns how far everything was read, as a text to be saved.
  func tick(positions: () -> String)
}

/// Reads the journal and the files of a node in turns, on a single thread, and passes the records to the sink.
final class ShipReader {
  /// The most journal records in one turn, before the files' turn.
  private static let turnLength = 256
  /// Milliseconds to wait when there was nothing to read.
  private static let pause: Int32 = 50

  private let log: StructuredLog
  private let sink: any ShipSink
  private let counters: ShipCounters
  private let wakeup: Wakeup
  private let isStopping: @Sendable () -> Bool
  private var journal: JournalRecords?
  private var journalCursor: String?
  /// Whether an entry was read since the cursor was taken.
  private var hasRead = false
  /// Whether an entry was read that was not taken, as the service stops.
  private var isRefused = false
  private var toldGaps: UInt64 = 0
  private let files: ShippedFiles
  private let attribution = Attribution(names: [""])
  private var quota: SandboxQuota
  private var redactor: Redactor?
  private var record = Record()

  /// Opens the configured inputs at the positions of an earlier run.
  ///
  /// - Parameters:
  ///   - wakeup: raised once `isStopping` is true.
  /// - Throws: why the journal cannot be read.
  init(
    _ configuration: ShipConfiguration, _ positions: ShipPositions, _ sink: any ShipSink,
    _ counters: ShipCounters, wakeup: Wakeup, log: StructuredLog, isStopping: @escaping @Sendable () -> Bool
  ) throws(JournalError) {
    self.log = log
    self.sink = sink
    self.counters = counters
    self.wakeup = wakeup
    self.isStopping = isStopping
    journalCursor = positions.journal
    files = ShippedFiles(configuration, resuming: positions, attribution, log)
    quota = SandboxQuota(configuration.quota)
    redactor = configuration.redacts ? Redactor() : nil
    if configuration.readsJournal {
      journal = try Self.open(configuration, positions.journal, attribution, stop: wakeup.file.number)
    }
  }

  private static func open(
    _ configuration: ShipConfiguration, _ cursor: String?, _ attribution: Attribution, stop: Int32
  ) throws(JournalError) -> JournalRecords {
    var options = JournalOptions()
    options.identifiers = configuration.identifiers
    options.units = configuration.units
    if let directory = configuration.journalDirectory { options.location = .directory(directory) }
    let selection = Selection()
    let filter: SelectionFilter
    do throws(RegularExpression.Problem) {
      filter = try SelectionFilter(selection, tally: SelectionTally(selection))
    } catch {
      throw JournalError(error.description)
    }
    var rules = ReadingRules()
    rules.isLenient = true
    rules.allowsMissingFields = true
    rules.keepsJournalFields = true
    return try JournalRecords.open(
      options, selection, filter, attribution, rules: rules, afterCursor: cursor, isFollowed: true, stop: stop
    )
  }

  /// Why the journal cannot be read as configured; nil if it can.
  static func journalProblem(_ configuration: ShipConfiguration) -> String? {
    do throws(JournalError) {
      let wakeup = try makeWakeup()
      _ = try open(configuration, nil, Attribution(names: [""]), stop: wakeup.file.number)
      return nil
    } catch {
      return error.description
    }
  }

  private static func makeWakeup() throws(JournalError) -> Wakeup {
    do throws(SystemCallError) { return try Wakeup() } catch { throw JournalError(error.description) }
  }

  /// Reads until the service stops.
  func run() {
    while !isStopping() {
      let hasMore = readJournal()
      let now = MonotonicClock.milliseconds
      let filesHaveMore = readFiles(now)
      markLosses(now, isLast: false)
      sink.tick(positions: positions)
      counters.note(files.counts, quota)
      if !hasMore, !filesHaveMore { wait() }
    }
    markLosses(MonotonicClock.milliseconds, isLast: true)
    sink.tick(positions: positions)
  }

  /// Waits for more to read, but only briefly, because files are polled.
  private func wait() {
    if journal != nil {
      do throws(JournalError) {
        // Ends early when the service stops.
        _ = try journal?.wait(Self.pause)
        return
      } catch {
        log.limited(.error, by: "journal", "cannot wait for the journal", ["error": error.description])
      }
    }
    var entry = pollfd(fd: wakeup.file.number, events: Int16(POLLIN), revents: 0)
    _ = poll(&entry, 1, Self.pause)
  }

  // MARK: The journal

  /// Reads some entries; false when there are no more at present.
  private func readJournal() -> Bool {
    guard journal != nil else { return false }
    for _ in 0..<Self.turnLength {
      let step: JournalRecords.Step?
      do throws(JournalError) {
        step = try journal?.next(into: &record)
      } catch {
        log.limited(.error, by: "journal", "the journal cannot be read", ["error": error.description])
        return false
      }
      switch step {
      case .record?, .flawed?:
        if !deliverEntry() { return false }
      case .problem(let problem)?:
        counters.add(.unreadable)
        log.limited(.warning, by: "journal", "a journal entry was left out", ["reason": problem.reason])
      case .loss(let count)?: counters.add(.suppressed, count)
      case .end?, nil:
        noteFailures()
        noteGaps()
        return false
      }
    }
    return true
  }

  private func deliverEntry() -> Bool {
    // A guest's own output is limited; what the host's programs say about it is not.
    let isGuest = Attribution.isGuest(record.source, record.name)
    let place = RecordPlace(filename: .empty, count: 0, delta: 0)
    guard deliver(input: 0, place, isLimited: isGuest) else {
      // The journal's cursor is at this entry, which the next run must read: the place stays where it was noted last.
      hasRead = false
      isRefused = true
      return false
    }
    hasRead = true
    return true
  }

  /// Tells of entries that are gone: of those behind the place of an earlier run, journald may have removed some.
  private func noteGaps() {
    let gaps = journal?.gaps ?? 0
    guard gaps > toldGaps else { return }
    counters.add(.gaps, gaps - toldGaps)
    log.limited(
      .warning, by: "journal gaps", "entries of the journal are gone or damaged, and were not read",
      [
        "gaps": String(gaps - toldGaps),
        "remedy": "raise SystemMaxUse= of journald, or look with journalctl --verify",
      ])
    toldGaps = gaps
  }

  private func noteFailures() {
    for failure in journal?.takeFailures() ?? [] {
      counters.add(.failures)
      log.error("part of the journal could not be read", ["reason": failure.description])
    }
  }

  // MARK: Files

  private func readFiles(_ now: Int) -> Bool {
    // The record is borrowed while the files are read.
    var record = Record()
    swap(&record, &self.record)
    defer { swap(&record, &self.record) }
    return files.turn(&record, now: now) { record, input, place in
      swap(&record, &self.record)
      defer { swap(&record, &self.record) }
      let path = self.record.arena.copy(Array(place.path.utf8))
      let cursor = self.record.arena.copy(Array(place.cursor(self.record.time).utf8))
      let shown = RecordPlace(filename: path, count: 0, delta: 0, cursor: cursor)
      return self.deliver(input: input, shown, isLimited: true)
    }
  }

  // MARK: Delivery

  private func positions() -> String {
    var positions = ShipPositions()
    if hasRead, !isRefused, let cursor = journal?.cursor() ?? nil { journalCursor = cursor }
    hasRead = false
    positions.journal = journalCursor
    positions.files = files.places
    positions.time = files.lookedAt
    return positions.text
  }

  /// Passes the record to the sink; false if the service is stopping.
  private func deliver(input: Int, _ place: RecordPlace, isLimited: Bool) -> Bool {
    let owner = attribution.owner(of: &record, input: input)
    record.set(owner, isMarked: true)
    counters.add(.read)
    if isLimited {
      let size = record.textLength
      guard quota.admits(owner.sandbox, bytes: size, now: MonotonicClock.milliseconds) else { return true }
    }
    if let count = redactor?.redact(&record), count > 0 { counters.add(.redacted, count) }
    return sink.take(&record, place)
  }

  /// Marks in the stream where records of a sandbox were dropped.
  private func markLosses(_ now: Int, isLast: Bool) {
    for loss in quota.takeLosses(now: now, isLast: isLast) {
      let sandbox = String(decoding: loss.sandbox, as: UTF8.self)
      log.limited(
        .warning, by: "quota", "records of a sandbox were dropped: it is over its quota",
        ["sandbox": sandbox, "records": String(loss.records), "bytes": String(loss.bytes)])
      record.reset()
      record.time = LocalTime.now()
      record.level = record.arena.copy("warning")
      record.name = record.arena.copy("kata-log-parser")
      record.source = record.arena.copy("ship")
      record.pid = Int(getpid())
      record.sandbox = record.arena.copy(loss.sandbox)
      record.message = record.arena.copy(
        Array("\(loss.records) records of this sandbox were dropped: it is over its quota".utf8))
      record.setField("dropped_records", record.arena.copy(Array(String(loss.records).utf8)))
      record.setField("dropped_bytes", record.arena.copy(Array(String(loss.bytes).utf8)))
      record.fields.sortKeepingLast()
      let cursor = record.arena.copy(Array("quota;t=\(WallClock.nanoseconds)".utf8))
      _ = sink.take(&record, RecordPlace(filename: .empty, count: 0, delta: 0, cursor: cursor))
    }
  }
}
