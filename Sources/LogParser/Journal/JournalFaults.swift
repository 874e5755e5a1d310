import CLinux

/// Survives SIGBUS in journal files. libsystemd maps them into memory: if one is truncated meanwhile, or its disk
/// fails, the result is not an error but SIGBUS, which kills a process that does not handle it.
///
/// No other file may use these functions of `shim.h`: each would have its own count.
enum JournalFaults {
  private static let isInstalled = kata_survive_page_faults() == 0

  /// From the first call on, unreadable pages of a mapped file read as zeros.
  static func survive() { _ = isInstalled }

  /// The number of pages that could not be read so far.
  static var count: UInt32 { kata_page_fault_count() }
}
