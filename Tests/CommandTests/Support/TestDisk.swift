import Foundation
import TestSupport
import Testing

/// A small file system in memory, for tests of full, read-only and vanishing disks.
///
/// A test that uses one is enabled by ``isPossible``, so that it shows as skipped where nothing can be mounted.
enum TestDisk {
  static let reason: Comment = "only root, where file systems can be mounted, can test this"

  /// Whether a file system can be mounted here.
  static let isPossible: Bool = {
    guard ForwarderProcess.isRoot, let folder = try? TemporaryFolder(),
      let disk = try? mount(in: folder, "64k")
    else { return false }
    unmount(disk)
    return true
  }()

  /// Mounts one of this size at the folder's `disk`.
  static func mount(in folder: TemporaryFolder, _ size: String, options: String = "") throws -> URL {
    let disk = try folder.make("disk")
    let result = try Tool.run(
      "/usr/bin/mount", ["-t", "tmpfs", "-o", "\(options)size=\(size)", "tmpfs", disk.path])
    guard result.status == 0 else { throw TestFailure(description: result.errorText) }
    return disk
  }

  static func unmount(_ disk: URL) { _ = try? Tool.run("/usr/bin/umount", ["-l", disk.path]) }
}
