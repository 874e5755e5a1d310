import Foundation

/// The repository that the tests were built from.
package enum Repository {
  /// Its topmost folder.
  package static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A file or folder in it.
  package static func url(_ relative: String) -> URL { root.appendingPathComponent(relative) }

  /// The path of a file or folder in it.
  package static func path(_ relative: String) -> String { url(relative).path }
}
