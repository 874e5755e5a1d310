import Glibc

/// A directory of the process's own that goes with it, with the files that are right in it.
package final class TemporaryDirectory {
  package let path: String

  package init() throws(SystemCallError) {
    let parent = ServiceManager.variable("TMPDIR").flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
    var template = Array("\(parent)/kata-trace-forwarder-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemCallError("make a temporary directory", parent) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in (try? DirectoryListing.names(in: path)) ?? [] { _ = unlink("\(path)/\(name)") }
    _ = rmdir(path)
  }
}
