import Bytes
import Glibc
import System

/// Reads a journal in place, through libsystemd.
///
/// It has one current entry. ``value(of:_:)`` and ``fields(_:_:)`` return copies in an arena.
package struct JournalReader: ~Copyable {
  /// The message id of journald's "Suppressed N messages from …" (SD_MESSAGE_JOURNAL_DROPPED).
  static let lossReport: StaticString = "a596d6fe7bfa4994828e72309e95d61e"

  let systemd: Systemd
  private let subject: String
  private let until: UInt64
  /// Whether the current entry was not handed out yet.
  private var isOnNext = false
  /// Whether an entry was handed out.
  private var hasEntry = false
  /// Whether the next entry is after the end of the wanted time.
  private(set) var isPastEnd = false
  /// Places that could not be read, and a cursor whose entry no longer exists.
  package private(set) var gaps: UInt64 = 0
  /// Whether a gap is due to damage.
  private(set) var isDamaged = false
  private var files = OpenJournalFiles.none
  /// The number of missing pages before the entry was read.
  private var faults = JournalFaults.count
  /// Whether a page of a file was missing.
  private(set) var hasMissedPages = false
  /// Whether a field of the entry contains a zero byte, which text does not.
  private var hasZeros = false
  /// Whether a field of the entry could not be read.
  private var hasBrokenField = false

  private init(_ systemd: consuming Systemd, subject: String, until: UInt64) {
    self.systemd = systemd
    self.subject = subject
    self.until = until
  }

  /// Opens a journal and seeks to where reading begins: after the cursor, at the time, at the newest entries, or at the
  /// start.
  ///
  /// - Parameter countsLines: whether each entry counts towards ``JournalOptions/lines``. A caller that selects among
  ///   entries counts them itself, from the end, with ``goBack(notBefore:)``.
  package static func open(
    _ options: JournalOptions, since: Timestamp? = nil, until: Timestamp? = nil,
    afterCursor cursor: String? = nil, countsLines: Bool = true
  ) throws(JournalError) -> JournalReader {
    let subject = Self.subject(of: options.location)
    let systemd = try Systemd.open(options.location, subject)
    systemd.readWholeFields()
    if options.location == .local || options.location == .merged { try JournalAccess.check(subject) }
    try JournalMatches.add(try JournalMatches.conditions(options, subject), to: systemd, subject)
    var reader = JournalReader(systemd, subject: subject, until: until.map(Self.microseconds) ?? .max)
    reader.files = OpenJournalFiles()
    try reader.seek(options, since: since, cursor: cursor, countsLines: countsLines)
    return reader
  }

  static func subject(of location: JournalOptions.Location) -> String {
    switch location {
    case .local, .merged: "journal"
    case .files(let files): files.count == 1 ? files[0] : "journal files"
    case .directory(let path): path
    }
  }

  /// The number of entries of one file that libsystemd finds and that meet the conditions; stops after `limit`.
  static func count(
    _ path: String, _ conditions: JournalConditions, limit: Int
  ) throws(JournalError) -> Int? {
    guard let journal = try? Systemd.open(.files([path]), path) else { return nil }
    try JournalMatches.add(conditions, to: journal, path)
    guard journal.seekHead() >= 0 else { return nil }
    var count = 0
    while count <= limit, journal.next() > 0 { count += 1 }
    return count
  }

  static func microseconds(_ time: Timestamp) -> UInt64 {
    guard time.seconds >= 0 else { return 0 }
    return UInt64(time.seconds) * 1_000_000 + UInt64(time.nanoseconds / 1000)
  }

  private mutating func seek(
    _ options: JournalOptions, since: Timestamp?, cursor: String?, countsLines: Bool
  ) throws(JournalError) {
    if let cursor {
      let code = systemd.seek(toCursor: cursor)
      guard code >= 0 else { throw JournalError("\(subject): the cursor \(cursor) is invalid") }
      guard systemd.next() > 0 else { return }
      if systemd.isOn(cursor: cursor) {
        if let since { skip(to: since) }
        return
      }
      // The entry no longer exists: this is the first one after it.
      gaps += 1
      isOnNext = true
      return
    }
    if let lines = options.lines {
      let code =
        until == .max
        ? systemd.seekTail() : systemd.seek(to: until + 1)
      guard code >= 0 else { throw JournalError(subject, "seek", code: code) }
      if lines == 0 {
        _ = systemd.previous()
        return
      }
      if !countsLines { return }
      isOnNext = try goBack(lines)
      if let since { skip(to: since) }
      return
    }
    let code =
      since.map { systemd.seek(to: Self.microseconds($0)) }
      ?? systemd.seekHead()
    guard code >= 0 else { throw JournalError(subject, "seek", code: code) }
  }

  /// Goes back `count` entries, not counting journald's own reports of loss; false if there are none.
  private func goBack(_ count: Int) throws(JournalError) -> Bool {
    var left = count
    var hasMoved = false
    while left > 0 {
      let code = systemd.previous()
      guard code >= 0 else { throw JournalError(subject, "seek", code: code) }
      guard code > 0 else { break }
      hasMoved = true
      if !isLossReport { left -= 1 }
    }
    return hasMoved
  }

  /// Goes to the previous entry, which is then the next one to be read; false if there is none at or after `since`.
  mutating func goBack(notBefore since: Timestamp?) throws(JournalError) -> Bool {
    let code = systemd.previous()
    guard code >= 0 else { throw JournalError(subject, "seek", code: code) }
    guard code > 0 else { return false }
    isOnNext = since.map { realtime >= Self.microseconds($0) } ?? true
    return isOnNext
  }

  private var isLossReport: Bool { systemd.has("MESSAGE_ID", Self.lossReport) }

  /// Seeks forward to the first entry at or after `since`, if that is later.
  private mutating func skip(to since: Timestamp) {
    let limit = Self.microseconds(since)
    // The entry of a cursor may be later: what was written out must not be read again.
    if realtime >= limit { return }
    _ = systemd.seek(to: limit)
    isOnNext = false
  }

  /// Goes to the next entry; false if there is none at present.
  package mutating func next() throws(JournalError) -> Bool {
    (hasZeros, hasBrokenField) = (false, false)
    if isPastEnd { return false }
    if isOnNext {
      isOnNext = false
    } else {
      let code = systemd.next()
      if code == 0 { return false }
      if code < 0 {
        // libsystemd drops files that it cannot continue to read; its report does not say which.
        guard -code == EBADMSG || -code == EIO else { throw JournalError(subject, "read", code: code) }
        gaps += 1
        isDamaged = true
        return false
      }
    }
    // A page that was missing on the way to this entry may belong to another file.
    _ = noteFaults()
    if realtime <= until {
      hasEntry = true
      return true
    }
    // The cursor must be that of the last entry that was handed out.
    if hasEntry { _ = systemd.previous() }
    isPastEnd = true
    return false
  }

  /// The files that libsystemd dropped since the last call, or since the journal changed, and those that were
  /// truncated.
  mutating func takeLosses() -> (dropped: [String], cut: [String]) {
    let losses = files.takeLosses()
    gaps += UInt64(losses.dropped.count + losses.cut.count)
    // It is reported with them.
    if !losses.cut.isEmpty { isDamaged = false }
    return losses
  }

  /// Whether the entry was not read as written, because its file was truncated before that.
  mutating func isEntryLost() -> Bool {
    // Behind the end of a file that was cut, its last page has zeros, and so have those that were missed before: by their
    // bytes, or because libsystemd passes over a field without a word whose object is no longer one.
    let isSound = !hasZeros && !hasBrokenField && (!hasMissedPages || isWhole())
    guard noteFaults() || !isSound && files.hasCut else { return false }
    gaps += 1
    return true
  }

  /// Whether the entry has all its fields, as far as the hash of them tells that its cursor ends in (`x=`).
  private func isWhole() -> Bool {
    guard let stated = systemd.cursor.flatMap(JournalPlace.init)?.hash else { return false }
    var hash: UInt64 = 0
    var arena = Arena()
    systemd.restartFields()
    while case .text(let field) = systemd.nextField(&arena) {
      hash ^= JenkinsHash.hash(UnsafeRawBufferPointer(field.bytes))
      arena.reset()
    }
    return hash == stated
  }

  /// Whether pages were missing since the last call.
  private mutating func noteFaults() -> Bool {
    let count = JournalFaults.count
    if count == faults { return false }
    faults = count
    hasMissedPages = true
    return true
  }

  /// When journald received the entry, in microseconds since 1970.
  package var realtime: UInt64 { systemd.realtime }

  /// The cursor of the entry that was handed out last, for ``JournalOptions/cursorFile``.
  package var cursor: String? { hasEntry ? systemd.cursor : nil }

  /// The value of one field, copied; nil if the entry has none or it cannot be read.
  package mutating func value(of field: StaticString, _ arena: inout Arena) -> ByteSlice? {
    guard let value = systemd.value(of: field, &arena) else { return nil }
    if value.contains(0) { hasZeros = true }
    return value
  }

  /// All fields of the entry, copied.
  mutating func fields(_ members: inout MemberList, _ arena: inout Arena) {
    members.removeAll()
    systemd.restartFields()
    while members.count < 1024 {
      switch systemd.nextField(&arena) {
      case .end: return
      case .unreadable:
        gaps += 1
        isDamaged = true
        hasBrokenField = true
        return
      case .text(let field):
        if field.contains(0) { hasZeros = true }
        guard let equals = field.firstIndex(of: 0x3d) else { continue }
        members.append(field.prefix(equals), field.dropFirst(equals + 1))
      }
    }
  }

  /// The interval between checks in milliseconds. journald announces new entries up to a quarter of a second late, to
  /// save wakeups, and nothing else announces writes to its mapped files; following should be quicker. libsystemd
  /// compares the entry counts in the files' headers first, so a check that finds nothing costs little more than the
  /// wakeup.
  private static let lookInterval: Int32 = 40

  /// Waits until the journal has changed, at most `patience` milliseconds if that is not negative; false if `stop`
  /// became readable instead.
  package mutating func wait(
    orFor stop: borrowing FileDescriptor, patience: Int32 = -1
  ) throws(JournalError) -> Bool {
    let deadline = patience < 0 ? UInt64.max : Self.microsecondsNow + UInt64(patience) * 1000
    let number = systemd.descriptor
    guard number >= 0 else { throw JournalError(subject, "watch", code: number) }
    while true {
      var files = [
        pollfd(fd: number, events: systemd.events, revents: 0),
        pollfd(fd: stop.number, events: Int16(POLLIN), revents: 0),
      ]
      let timeout = timeout
      let isLook = timeout < 0 || timeout > Self.lookInterval
      let count = poll(&files, 2, isLook ? Self.lookInterval : timeout)
      if count < 0 {
        if errno == EINTR { continue }
        throw JournalError(subject, "wait", code: -errno)
      }
      if files[1].revents != 0 { return false }
      if count == 0, isLook {
        guard systemd.next() > 0 else {
          if Self.microsecondsNow >= deadline { return true }
          continue
        }
        isOnNext = true
        return true
      }
      let hasChanged = try systemd.process(subject)
      self.files.refresh()
      // Only appended entries, or added and removed files, matter.
      if hasChanged || count == 0 { return true }
    }
  }

  private static var microsecondsNow: UInt64 { MonotonicClock.nanoseconds / 1000 }

  /// How long poll(2) may wait, in milliseconds: network file systems announce no changes and must be polled.
  private var timeout: Int32 {
    guard let deadline = systemd.deadline else { return -1 }
    let current = Self.microsecondsNow
    return deadline <= current ? 0 : Int32(clamping: (deadline - current + 999) / 1000)
  }
}
