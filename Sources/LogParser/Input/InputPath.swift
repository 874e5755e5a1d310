import Glibc
import System

/// An input by its name.
package struct InputPath: Equatable, Sendable {
  /// The absolute path with links resolved, or `-`.
  package var path: String
  /// The path as it was given.
  package var link = ""
  /// The descriptor that the path stands for, where that is a pipe, a socket or a terminal which the process was started
  /// with, such as `/dev/stdin` or what a shell's `<(…)` becomes.
  var inherited: Int32?
  /// The journal files of this input, which are read as one journal; empty for an input of lines.
  var journalFiles: [String] = []
  /// The input's name in messages.
  package var name: String { path }
  package var isStandardInput: Bool { path == "-" }

  init(path: String, inherited: Int32? = nil) {
    self.path = path
    self.inherited = inherited
  }

  /// Several journal files as one input.
  init(journalFiles: [String]) {
    path = journalFiles.count == 1 ? journalFiles[0] : "journal files"
    self.journalFiles = journalFiles
  }

  /// The number in a path of one of this process's own descriptors; nil if it is not such a path.
  static func descriptor(_ path: String) -> Int32? {
    if path == "/dev/stdin" { return STDIN_FILENO }
    for prefix in ["/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"] where path.hasPrefix(prefix) {
      return Int32(path.dropFirst(prefix.count))
    }
    return nil
  }

  /// Whether the path names a regular file that begins like a journal file.
  package static func isJournalFile(_ path: String) -> Bool {
    guard InputPath(path: path).namesRegularFile,
      let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK),
      let head = try? file.bytes(at: 0, count: InputFile.journalMagic.count, subject: path)
    else { return false }
    return InputFile.isJournal(head)
  }

  /// Whether the path names a journal file, or a directory with one.
  package static func mayHoldJournal(_ path: String) -> Bool {
    if isJournalFile(path) { return true }
    return (try? DirectoryListing.names(in: path))?.contains { isJournalFile("\(path)/\($0)") } ?? false
  }

  /// Whether the name is that of a regular file. Check this before opening a file only to examine it: opening a FIFO
  /// lets its writer continue, and closing it again loses what was written.
  var namesRegularFile: Bool {
    var status = stat()
    return !isStandardInput && stat(path, &status) == 0 && status.isRegularFile
  }
}
