import Glibc

/// The names in a directory.
package enum DirectoryListing {
  /// All names except `.` and `..`, in no particular order; bytes that are not UTF-8 are replaced.
  package static func names(in path: String) throws(SystemCallError) -> [String] {
    guard let stream = opendir(path) else { throw SystemCallError("read the directory", path) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      // The name is read in place: an entry is shorter than its type.
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
