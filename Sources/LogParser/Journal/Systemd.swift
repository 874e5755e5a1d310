import Bytes
import CSystemd
import Glibc
import System

/// An open journal of libsystemd, positioned on an entry or between two.
///
/// All calls to the library are made here: no other file has its handle or sees its memory, which is valid only until
/// the next call. Texts are returned as copies, numbers as numbers, and a failure as a negative error number, which
/// ``JournalError`` describes.
struct Systemd: ~Copyable {
  private let library: SystemdLibrary
  private let handle: OpaquePointer

  private init(_ library: SystemdLibrary, _ handle: OpaquePointer) {
    self.library = library
    self.handle = handle
  }

  deinit { library.close(handle) }

  /// Opens a journal; `subject` is its name in messages.
  static func open(
    _ location: JournalOptions.Location, _ subject: String
  ) throws(JournalError) -> Systemd {
    let library = try SystemdLibrary.load()
    var journal: OpaquePointer?
    let code: Int32
    switch location {
    case .local: code = library.open(&journal, Int32(SD_JOURNAL_LOCAL_ONLY))
    case .merged: code = library.open(&journal, 0)
    case .directory(let path): code = library.openDirectory(&journal, path, 0)
    case .files(let paths):
      for path in paths where access(path, R_OK) != 0 { throw JournalError(path, "open", code: -errno) }
      // libsystemd watches the directory of a file, and does not find it in a relative path.
      var list: [UnsafePointer<CChar>?] = paths.map { UnsafePointer(realpath($0, nil) ?? strdup($0)) }
      defer { for path in list { free(UnsafeMutablePointer(mutating: path)) } }
      list.append(nil)
      code = library.openFiles(&journal, &list, 0)
    }
    guard code >= 0, let journal else { throw JournalError(subject, "open", code: code) }
    return Systemd(library, journal)
  }

  /// The id of the current boot; nil if it cannot be read.
  static func currentBoot() throws(JournalError) -> String? {
    let library = try SystemdLibrary.load()
    var id = sd_id128_t()
    guard library.boot(&id) >= 0 else { return nil }
    return withUnsafeBytes(of: id) { bytes in
      bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
  }

  /// Makes libsystemd return fields in full, however long they are.
  func readWholeFields() { _ = library.setDataThreshold(handle, 0) }

  /// Adds a condition, `NAME=value`, to the current alternative.
  func addMatch(_ match: String) -> Int32 { library.addMatch(handle, match, match.utf8.count) }
  /// Ends an alternative: the next conditions are another one of the same group.
  func endAlternative() { _ = library.addDisjunction(handle) }
  /// Ends a group of alternatives: one of each group must match.
  func endGroup() { _ = library.addConjunction(handle) }
  /// Removes all conditions.
  func removeMatches() { library.flushMatches(handle) }

  func seekHead() -> Int32 { library.seekHead(handle) }
  func seekTail() -> Int32 { library.seekTail(handle) }
  /// Seeks to before the first entry at or after a time in microseconds.
  func seek(to time: UInt64) -> Int32 { library.seekRealtime(handle, time) }
  /// Seeks to before the entry of a cursor.
  func seek(toCursor cursor: String) -> Int32 { library.seekCursor(handle, cursor) }
  /// Whether the current entry is that of a cursor.
  func isOn(cursor: String) -> Bool { library.testCursor(handle, cursor) > 0 }
  /// Goes to the next entry: 1, 0 if there is none, or an error.
  func next() -> Int32 { library.next(handle) }
  /// Goes to the previous entry, with the same results.
  func previous() -> Int32 { library.previous(handle) }

  /// When journald received the entry, in microseconds since 1970; 0 if that cannot be read.
  var realtime: UInt64 {
    var time: UInt64 = 0
    return library.realtime(handle, &time) >= 0 ? time : 0
  }

  /// The entry's cursor.
  var cursor: String? {
    var text: UnsafeMutablePointer<CChar>?
    guard library.cursor(handle, &text) >= 0, let text else { return nil }
    defer { free(text) }
    return String(cString: text)
  }

  /// A field of the entry with its name, `NAME=value`, for `body` to read; nil if there is none or it cannot be read.
  private func withField<Result>(
    _ name: StaticString, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    var data: UnsafeRawPointer?
    var length = 0
    let text = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    guard library.data(handle, text, &data, &length) >= 0, let data else { return nil }
    guard length > name.utf8CodeUnitCount else { return nil }
    return body(UnsafeRawBufferPointer(start: data, count: length))
  }

  /// The value of a field, copied; nil if the entry has none or it cannot be read.
  func value(of field: StaticString, _ arena: inout Arena) -> ByteSlice? {
    withField(field) { bytes in
      arena.copy(UnsafeRawBufferPointer(rebasing: bytes[(field.utf8CodeUnitCount + 1)...]))
    }
  }

  /// Whether a field has this value.
  func has(_ field: StaticString, _ value: StaticString) -> Bool {
    withField(field) { bytes in
      UnsafeRawBufferPointer(rebasing: bytes[(field.utf8CodeUnitCount + 1)...]) == value
    } ?? false
  }

  /// The result of ``nextField(_:)``.
  enum Field {
    /// A field with its name, copied.
    case text(ByteSlice)
    /// A field that cannot be read; no more fields follow.
    case unreadable
    case end
  }

  /// Restarts at the first field of the entry.
  func restartFields() { library.restartData(handle) }

  /// The next field of the entry.
  func nextField(_ arena: inout Arena) -> Field {
    var data: UnsafeRawPointer?
    var length = 0
    let code = library.enumerateData(handle, &data, &length)
    if code < 0 { return .unreadable }
    guard code > 0, let data else { return .end }
    return .text(arena.copy(UnsafeRawBufferPointer(start: data, count: max(0, length))))
  }

  /// The values that a field has anywhere in the journal, `limit` at most.
  func uniqueValues(of field: String, limit: Int) -> [String] {
    guard library.queryUnique(handle, field) >= 0 else { return [] }
    var values: [String] = []
    library.restartUnique(handle)
    while values.count < limit {
      var data: UnsafeRawPointer?
      var length = 0
      guard library.enumerateUnique(handle, &data, &length) > 0, let data else { break }
      let text = String(decoding: UnsafeRawBufferPointer(start: data, count: max(0, length)), as: UTF8.self)
      values.append(String(text.dropFirst(field.count + 1)))
    }
    return values
  }

  /// The descriptor to poll, or an error.
  var descriptor: Int32 { library.descriptor(handle) }
  /// The events to poll for.
  var events: Int16 { Int16(truncatingIfNeeded: library.events(handle)) }
  /// When to check files whose changes are not announced, in microseconds of the monotonic clock; nil for never.
  var deadline: UInt64? {
    var time: UInt64 = .max
    return library.timeout(handle, &time) >= 0 && time != .max ? time : nil
  }

  /// Processes the events of the descriptor.
  ///
  /// - Returns: whether the journal changed.
  func process(_ subject: String) throws(JournalError) -> Bool {
    let code = library.process(handle)
    guard code >= 0 else { throw JournalError(subject, "wait", code: code) }
    return code != Int32(SD_JOURNAL_NOP)
  }
}

/// The functions of libsystemd that are needed to read the journal, looked up when it is first used.
///
/// Linked in the ordinary way, the library and the five that it needs would double the start time of every run, and
/// hosts without systemd could not run the tool at all. The types below are those of `sd-journal.h` and `sd-id128.h`,
/// as `CSystemd` declares them.
private struct SystemdLibrary {
  typealias Journal = OpaquePointer
  typealias Name = UnsafePointer<CChar>
  typealias Data = UnsafeMutablePointer<UnsafeRawPointer?>
  typealias Length = UnsafeMutablePointer<Int>
  typealias Time = UnsafeMutablePointer<UInt64>

  let open: @convention(c) (UnsafeMutablePointer<Journal?>, Int32) -> Int32
  let openDirectory: @convention(c) (UnsafeMutablePointer<Journal?>, Name, Int32) -> Int32
  let openFiles: @convention(c) (UnsafeMutablePointer<Journal?>, UnsafeMutablePointer<Name?>, Int32) -> Int32
  let close: @convention(c) (Journal) -> Void
  let setDataThreshold: @convention(c) (Journal, Int) -> Int32
  let addMatch: @convention(c) (Journal, Name, Int) -> Int32
  let addConjunction: @convention(c) (Journal) -> Int32
  let addDisjunction: @convention(c) (Journal) -> Int32
  let flushMatches: @convention(c) (Journal) -> Void
  let seekHead: @convention(c) (Journal) -> Int32
  let seekTail: @convention(c) (Journal) -> Int32
  let seekRealtime: @convention(c) (Journal, UInt64) -> Int32
  let seekCursor: @convention(c) (Journal, Name) -> Int32
  let testCursor: @convention(c) (Journal, Name) -> Int32
  let next: @convention(c) (Journal) -> Int32
  let previous: @convention(c) (Journal) -> Int32
  let realtime: @convention(c) (Journal, Time) -> Int32
  let cursor: @convention(c) (Journal, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  let data: @convention(c) (Journal, Name, Data, Length) -> Int32
  let restartData: @convention(c) (Journal) -> Void
  let enumerateData: @convention(c) (Journal, Data, Length) -> Int32
  let queryUnique: @convention(c) (Journal, Name) -> Int32
  let restartUnique: @convention(c) (Journal) -> Void
  let enumerateUnique: @convention(c) (Journal, Data, Length) -> Int32
  let descriptor: @convention(c) (Journal) -> Int32
  let events: @convention(c) (Journal) -> Int32
  let timeout: @convention(c) (Journal, Time) -> Int32
  let process: @convention(c) (Journal) -> Int32
  let boot: @convention(c) (UnsafeMutablePointer<sd_id128_t>) -> Int32

  /// Loads the library, which stays loaded; throws if it is not installed or too old.
  static func load() throws(JournalError) -> SystemdLibrary {
    guard let library = DynamicLibrary("libsystemd.so.0") else {
      throw JournalError("journal: libsystemd.so.0 cannot be loaded; install the package libsystemd0")
    }
    JournalFaults.survive()
    return SystemdLibrary(
      open: try find("sd_journal_open", library),
      openDirectory: try find("sd_journal_open_directory", library),
      openFiles: try find("sd_journal_open_files", library),
      close: try find("sd_journal_close", library),
      setDataThreshold: try find("sd_journal_set_data_threshold", library),
      addMatch: try find("sd_journal_add_match", library),
      addConjunction: try find("sd_journal_add_conjunction", library),
      addDisjunction: try find("sd_journal_add_disjunction", library),
      flushMatches: try find("sd_journal_flush_matches", library),
      seekHead: try find("sd_journal_seek_head", library),
      seekTail: try find("sd_journal_seek_tail", library),
      seekRealtime: try find("sd_journal_seek_realtime_usec", library),
      seekCursor: try find("sd_journal_seek_cursor", library),
      testCursor: try find("sd_journal_test_cursor", library),
      next: try find("sd_journal_next", library),
      previous: try find("sd_journal_previous", library),
      realtime: try find("sd_journal_get_realtime_usec", library),
      cursor: try find("sd_journal_get_cursor", library),
      data: try find("sd_journal_get_data", library),
      restartData: try find("sd_journal_restart_data", library),
      enumerateData: try find("sd_journal_enumerate_available_data", library),
      queryUnique: try find("sd_journal_query_unique", library),
      restartUnique: try find("sd_journal_restart_unique", library),
      enumerateUnique: try find("sd_journal_enumerate_available_unique", library),
      descriptor: try find("sd_journal_get_fd", library),
      events: try find("sd_journal_get_events", library),
      timeout: try find("sd_journal_get_timeout", library),
      process: try find("sd_journal_process", library),
      boot: try find("sd_id128_get_boot", library))
  }

  /// A function as a pointer of the requested type, which must match its declaration.
  private static func find<Function>(
    _ name: String, _ library: DynamicLibrary
  ) throws(JournalError) -> Function {
    guard let function: Function = library.function(name) else {
      throw JournalError("journal: libsystemd has no \(name); it must be of systemd 246 or later")
    }
    return function
  }
}
