import Glibc
import System

/// A regular file of logfmt whose lines are in order of time.
struct SortedFile {
  let file: RenderSource.File
  let segments: [FileSegment]

  /// Scans an input; nil if it is not such a file. A file that cannot be opened is reported when it is read.
  static func look(at input: InputPath, _ options: RunOptions) throws(SystemCallError) -> SortedFile? {
    if !input.isStandardInput, !input.namesRegularFile || access(input.path, R_OK) != 0 { return nil }
    let descriptor =
      input.isStandardInput
      ? FileDescriptor(borrowing: STDIN_FILENO) : try FileDescriptor.open(input.path, O_RDONLY)
    let status = try descriptor.status(input.name)
    guard status.isRegularFile, status.st_size > 0, lseek(descriptor.number, 0, SEEK_CUR) == 0,
      let found = SortedSegments(
        descriptor, size: Int(status.st_size), subject: input.name, lineLimit: options.recordLimit,
        reader: LogfmtRecord(rules: options.rules), threads: options.threads)
    else { return nil }
    return SortedFile(
      file: RenderSource.File(descriptor, name: input.name, input: 0), segments: found.segments)
  }
}
