import Bytes
import Glibc
import System

/// Where the place in the journal is kept from run to run: one line, a journal cursor.
package struct CursorFile {
  private static let sizeLimit = 4096

  private let path: String

  package init(path: String) { self.path = path }

  /// The cursor; nil when the file does not exist yet.
  package func read() throws(Run.Failure) -> String? {
    var bytes = [UInt8](repeating: 0, count: Self.sizeLimit + 1)
    var count = 0
    do throws(SystemCallError) {
      let file = try FileDescriptor.open(path, O_RDONLY)
      count = try file.read(at: 0, into: &bytes, count: bytes.count, subject: path)
    } catch {
      if error.code == ENOENT { return nil }
      throw .message(error.description)
    }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
    guard count <= Self.sizeLimit, line.hasPrefix("s="), !line.contains("\n"), line.contains(";i=") else {
      throw .message("\(path): this is no journal cursor; remove the file to begin at the start")
    }
    return line
  }

  /// Replaces the cursor: at any moment the file holds the old one or the new one, whole.
  package func write(_ cursor: String) throws(SystemCallError) {
    var target = try OutputTarget.file(path, mode: 0o600)
    var text = OutputBuffer(capacity: 256)
    text.append(string: cursor)
    text.append(0x0a)
    try target.write(text.bytes)
    try target.finish(isDurable: true)
  }
}
