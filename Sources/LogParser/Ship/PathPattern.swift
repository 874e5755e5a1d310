import Glibc
import System

/// The files that a `path` in the configuration stands for: a file, the log files of a directory, or the matches of a
/// pattern with `*`, `?` and `[…]` as in glob(7).
enum PathPattern {
  /// The paths of all files that exist now, except rotated ones, which were read under their previous names.
  static func files(_ patterns: [String]) -> [String] {
    var seen: Set<String> = []
    var files: [String] = []
    for path in patterns.flatMap(expanded) {
      var status = stat()
      guard stat(path, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        let listed = (try? LogDirectory(path, isFollowed: true))?.paths ?? []
        for file in listed where seen.insert(file).inserted { files.append(file) }
      } else if status.isRegularFile, RotatedName(name(of: path)).isCurrent, seen.insert(path).inserted {
        files.append(path)
      }
    }
    return files
  }

  /// The rotated files whose name was once one that a pattern matches, if they were written to at a time or later, the
  /// oldest first. Compressed ones are left out.
  ///
  /// - Parameter time: in nanoseconds since 1970.
  static func rotated(_ patterns: [String], since time: Int64) -> [String] {
    var found: [String: Int64] = [:]
    for pattern in patterns {
      for (directory, name) in folders(pattern) {
        for entry in (try? DirectoryListing.names(in: directory)) ?? [] {
          let rotated = RotatedName(entry)
          let path = "\(directory)/\(entry)"
          guard !rotated.isCurrent, fnmatch(name, rotated.base, FNM_PERIOD) == 0,
            let changed = changed(path), changed >= time, !InputFile.isCompressed(InputPath(path: path))
          else { continue }
          found[path] = changed
        }
      }
    }
    return found.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
  }

  /// The directories that a pattern leads to, and the pattern of the names in them.
  private static func folders(_ pattern: String) -> [(directory: String, name: String)] {
    var directories: [(String, String)] = []
    var status = stat()
    for path in expanded(pattern) where stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR {
      directories.append((path, "*"))
    }
    if !directories.isEmpty { return directories }
    return expanded(AtomicFile.directoryName(of: pattern)).map { ($0, name(of: pattern)) }
  }

  /// When a regular file was written to last, in nanoseconds since 1970; nil for anything else.
  private static func changed(_ path: String) -> Int64? {
    var status = stat()
    guard stat(path, &status) == 0, status.isRegularFile else { return nil }
    return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
  }

  private static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  private static func expanded(_ pattern: String) -> [String] {
    guard pattern.contains(where: { "*?[".contains($0) }) else { return [pattern] }
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, 0, nil, &result) == 0 else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { index in
      result.gl_pathv[index].map { String(cString: $0) }
    }
  }
}
