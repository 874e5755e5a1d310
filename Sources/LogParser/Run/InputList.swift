import Glibc
import Logging
import System

/// The inputs of a run, resolved.
package struct InputList {
  package let items: [InputPath]
  let names: InputNames
  /// The number of missing inputs, which have been reported.
  let failedCount: UInt64

  init(_ options: RunOptions, _ diagnostics: Diagnostics) throws(Run.Failure) {
    (items, failedCount) = try Self.resolve(options, diagnostics)
    names = InputNames(items.map(\.name))
  }

  private static func resolve(
    _ options: RunOptions, _ diagnostics: Diagnostics
  ) throws(Run.Failure) -> ([InputPath], failed: UInt64) {
    if options.journal != nil { return ([InputPath(path: "journal")], 0) }
    var items: [InputPath] = []
    var failed: UInt64 = 0
    var journalFiles: [String] = []
    for file in options.files {
      do throws(InputFailure) {
        for path in try paths(file, options, diagnostics) {
          if InputPath.isJournalFile(path) {
            journalFiles.append(path)
          } else if let item = try resolve(path, options, diagnostics) {
            items.append(item)
          }
        }
      } catch {
        guard options.toleratesBadInputs else { throw .input(error) }
        diagnostics.error(error.description)
        failed += 1
      }
    }
    if !journalFiles.isEmpty {
      if options.follows {
        throw .message(
          "\(journalFiles[0]): a journal file cannot be followed together with log files; follow it alone")
      }
      items.append(InputPath(journalFiles: journalFiles))
    }
    try requireOneReader(items)
    if items.isEmpty, failed == 0 {
      if options.failsOnNoRecords { throw .message("no log records to process: all files are empty") }
      diagnostics.debug("no log records to process")
    }
    return (items, failed)
  }

  /// The inputs of an operand: itself, the files of a directory, or a file and its rotated files.
  private static func paths(
    _ file: String, _ options: RunOptions, _ diagnostics: Diagnostics
  ) throws(InputFailure) -> [String] {
    var status = stat()
    if file == "-" || stat(file, &status) != 0 { return [file] }
    if status.st_mode & S_IFMT == S_IFDIR {
      let directory = try LogDirectory(absolute(file), isFollowed: options.follows)
      if let note = directory.note { diagnostics.warning("\(file): \(note)") }
      guard !directory.paths.isEmpty else {
        throw InputFailure("\(file): no log file in this directory; check the path, or name files")
      }
      return directory.paths
    }
    guard options.readsRotated, status.isRegularFile else { return [file] }
    return try LogDirectory.rotated(absolute(file)) + [file]
  }

  private static func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Throws if an input that can be read only once is named several times.
  private static func requireOneReader(_ items: [InputPath]) throws(Run.Failure) {
    let numbers = items.compactMap { $0.isStandardInput ? STDIN_FILENO : $0.inherited }
    for (index, number) in numbers.enumerated() where numbers[..<index].contains(number) {
      let name = number == STDIN_FILENO ? "standard input" : "descriptor \(number)"
      throw .message(
        "\(name) is named more than once, and can be read only once: name it once, or store it in a file first"
      )
    }
  }

  /// The input with the name `file`; nil if it is empty.
  private static func resolve(
    _ file: String, _ options: RunOptions, _ diagnostics: Diagnostics
  ) throws(InputFailure) -> InputPath? {
    if file == "-" { return InputPath(path: file) }
    var status = stat()
    guard let resolved = realpath(file, nil) else {
      // The link of a pipe, a socket or a removed file does not lead to a valid name.
      let code = errno
      guard stat(file, &status) == 0 else {
        if options.follows, code == ENOENT { return missing(file, diagnostics) }
        throw InputFailure(SystemCallError("open", file, code: code))
      }
      return InputPath(path: file, inherited: InputPath.descriptor(file))
    }
    defer { free(resolved) }
    guard stat(resolved, &status) == 0 else { throw InputFailure(SystemCallError("stat", file)) }
    if status.isRegularFile, status.st_size == 0, !options.follows, try isEmpty(resolved, name: file) {
      if options.failsOnEmptyFile { throw InputFailure("file \"\(file)\" is empty") }
      diagnostics.debug("ignoring empty file \"\(file)\"")
      return nil
    }
    var input = InputPath(path: String(cString: resolved))
    input.link = file
    return input
  }

  /// A file that is followed once it exists.
  private static func missing(_ file: String, _ diagnostics: Diagnostics) -> InputPath {
    diagnostics.warning("\(file): does not exist yet; waiting for it")
    var directory = [CChar](repeating: 0, count: Int(PATH_MAX))
    if file.hasPrefix("/") || getcwd(&directory, directory.count) == nil { return InputPath(path: file) }
    let length = directory.firstIndex(of: 0) ?? directory.count
    let text = String(decoding: directory[..<length].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return InputPath(path: "\(text)/\(file)")
  }

  /// Whether a file of size 0 is really empty: virtual files of the kernel have size 0.
  private static func isEmpty(_ path: UnsafePointer<CChar>, name: String) throws(InputFailure) -> Bool {
    // Nothing is lost if a file of size 0 cannot even be opened.
    guard let file = try? FileDescriptor.open(String(cString: path), O_RDONLY) else { return true }
    var byte: UInt8 = 0
    do throws(SystemCallError) {
      return try file.read(into: &byte, count: 1, subject: name) == 0
    } catch {
      throw InputFailure(error)
    }
  }
}
