import Glibc

/// A directory of this process that is deleted with its contents.
package final class TemporaryDirectory {
  package let path: String

  package init() throws(SystemCallError) {
    let parent = ServiceManager.variable("TMPDIR").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
    var template = Array("\(parent)/kata-trace-forwarder-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemCallError("create a temporary directory", parent) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    Self.remove(path, depth: 3)
  }

  private static func remove(_ path: String, depth: Int) {
    for name in (try? DirectoryListing.names(in: path)) ?? [] where unlink("\(path)/\(name)") != 0 {
      if depth > 0 { remove("\(path)/\(name)", depth: depth - 1) }
    }
    _ = rmdir(path)
  }
}
