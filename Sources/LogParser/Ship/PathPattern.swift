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

  /// The rotated files of the sets that some paths belong to, if they were written to at a time or later, the oldest of
  /// each set first. Compressed ones are left out.
  ///
  /// - Parameter time: in nanoseconds since 1970.
  static func rotated(_ paths: some Sequence<String>, since time: Int64) -> [String] {
    Set(paths).sorted().flatMap { path in
      ((try? LogDirectory.rotated(path)) ?? []).filter { path in
        var status = stat()
        guard stat(path, &status) == 0, status.isRegularFile else { return false }
        let changed = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        return changed >= time && !InputFile.isCompressed(InputPath(path: path))
      }
    }
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
