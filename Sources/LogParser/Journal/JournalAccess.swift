import Glibc
import System

/// Determines why a journal has nothing to read.
enum JournalAccess {
  private static let directories = ["/var/log/journal", "/run/log/journal"]

  /// Throws unless there is a journal that this process may read, even if it has no entries.
  static func check(_ subject: String) throws(JournalError) {
    var files = 0
    for directory in directories {
      for machine in (try? DirectoryListing.names(in: directory)) ?? [] {
        let path = "\(directory)/\(machine)"
        if access(path, R_OK | X_OK) != 0, errno == EACCES { throw .permission(path) }
        for file in (try? DirectoryListing.names(in: path)) ?? [] where file.hasSuffix(".journal") {
          files += 1
          if file.hasPrefix("system"), access("\(path)/\(file)", R_OK) != 0 {
            throw .permission("\(path)/\(file)")
          }
        }
      }
    }
    if files == 0 {
      throw JournalError(
        "\(subject): not found on this machine: no journal files in \(directories.joined(separator: " or ")); give files, --journal-file or --journal-directory"
      )
    }
  }
}
