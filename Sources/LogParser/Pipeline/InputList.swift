import Glibc
import System

/// The inputs of a run, resolved.
package struct InputList {
  package struct Item {
    /// The absolute path with links resolved, or `-`.
    package var path: String
    package var name: String { path }
    package var isStandardInput: Bool { path == "-" }
  }

  package let items: [Item]
  let names: InputNames

  init(_ options: RunOptions, _ diagnostics: Diagnostics) throws(Run.Failure) {
    items = try Self.resolve(options, diagnostics)
    names = InputNames(items.map(\.name))
  }

  private static func resolve(
    _ options: RunOptions, _ diagnostics: Diagnostics
  ) throws(Run.Failure) -> [Item] {
    if options.journal != nil { return [Item(path: "journal")] }
    var items: [Item] = []
    for file in options.files {
      if let item = try resolve(file, options, diagnostics) { items.append(item) }
    }
    if items.isEmpty {
      if options.failsOnNoRecords { throw .message("no log records to process: all files are empty") }
      diagnostics.debug("no log records to process")
    }
    return items
  }

  /// The input that `file` names; nil when it is empty.
  private static func resolve(
    _ file: String, _ options: RunOptions, _ diagnostics: Diagnostics
  ) throws(Run.Failure) -> Item? {
    if file == "-" { return Item(path: file) }
    guard let resolved = realpath(file, nil) else {
      throw .message(SystemCallError("open", file).description)
    }
    defer { free(resolved) }
    var status = stat()
    guard stat(resolved, &status) == 0 else { throw .message(SystemCallError("stat", file).description) }
    if status.isRegularFile, status.st_size == 0, !options.follows {
      if options.failsOnEmptyFile { throw .message("file \"\(file)\" is empty") }
      diagnostics.debug("ignoring empty file \"\(file)\"")
      return nil
    }
    return Item(path: String(cString: resolved))
  }
}
