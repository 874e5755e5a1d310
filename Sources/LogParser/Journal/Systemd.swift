import CSystemd
import System

/// The functions of libsystemd that reading the journal takes, looked up when the journal is first wanted.
///
/// Linked in the ordinary way the library and the five that it needs would double the time that every run takes to
/// start, and hosts without systemd could not run the tool at all. The types below are those of `sd-journal.h` and
/// `sd-id128.h`, as `CSystemd` declares them.
struct Systemd {
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

  /// Loads the library, which stays loaded; throws when it is not installed or too old.
  static func load() throws(JournalError) -> Systemd {
    guard let library = DynamicLibrary("libsystemd.so.0") else {
      throw JournalError("journal: libsystemd.so.0 cannot be loaded; install the package libsystemd0")
    }
    JournalFaults.survive()
    return Systemd(
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

  /// A function as a pointer of the type that is asked for, which must be the one of its declaration.
  private static func find<Function>(
    _ name: String, _ library: DynamicLibrary
  ) throws(JournalError) -> Function {
    guard let function: Function = library.function(name) else {
      throw JournalError("journal: libsystemd has no \(name); it must be of systemd 246 or later")
    }
    return function
  }
}
