import CLinux

/// libsystemd reads journal files where it has mapped them into memory. One that is cut short meanwhile, or whose disk
/// fails, gives no error there but SIGBUS, which ends a process that is not prepared for it.
///
/// No other file may use these functions of `shim.h`: each would have its own count.
enum JournalFaults {
  private static let isInstalled = kata_survive_page_faults() == 0

  /// From the first call on, zeros stand where a mapped file has nothing to read.
  static func survive() { _ = isInstalled }

  /// How many pages could not be read so far.
  static var count: UInt32 { kata_page_fault_count() }
}
