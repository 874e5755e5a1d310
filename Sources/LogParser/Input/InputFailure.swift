import Glibc
import System

/// An input that could not be read, or not to its end: its name, the reason, and the remedy.
package struct InputFailure: Error, CustomStringConvertible {
  package let description: String
  /// Whether part of the input was read.
  let isPartial: Bool

  init(_ description: String, isPartial: Bool = false) {
    self.description = description
    self.isPartial = isPartial
  }

  /// For a failed system call on the input.
  init(_ error: SystemCallError, linesRead: UInt64 = 0) {
    let remedy = Self.remedy(for: error.code).map { "; \($0)" } ?? ""
    let place = linesRead > 0 ? " after \(linesRead) lines" : ""
    isPartial = linesRead > 0
    description = "\(error.description)\(place)\(remedy)"
  }

  private static func remedy(for code: Int32) -> String? {
    switch code {
    case ENOENT: "check the path, or leave it out"
    case EACCES, EPERM: "run as root, or as a user who may read it"
    case EISDIR: "name the files in it"
    case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
    case EIO: "the device or file system reports an error: see dmesg, and read a copy of the file"
    case ELOOP: "the symbolic links lead in a circle"
    default: nil
    }
  }

  /// For a journal file among the log files, which has no lines.
  static func journalFile(_ item: InputPath) -> InputFailure {
    InputFailure(
      item.isStandardInput
        ? "standard input: this is a journal file; store it and read it with --journal-file FILE"
        : "\(item.path): this is a journal file; read it with --journal-file \(item.path)")
  }

  /// For a compressed journal file, which libsystemd cannot read.
  static func compressedJournalFile(
    _ item: InputPath, _ compression: Decompressor.Compression
  ) -> InputFailure {
    let input = item.isStandardInput ? "standard input" : item.path
    let command = "\(compression.rawValue) -dc \(item.isStandardInput ? "" : "\(item.path) ")>FILE.journal"
    return InputFailure(
      "\(input): this is a journal file compressed with \(compression.rawValue); decompress it (\(command)), and read it with --journal-file FILE.journal"
    )
  }
}
