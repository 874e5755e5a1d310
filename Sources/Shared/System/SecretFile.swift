import Glibc

/// A file with a key or a password on its first line.
package enum SecretFile {
  /// Why the secret cannot be read.
  package struct Problem: Error {
    package var reason: String
  }

  private static let sizeLimit = 4096

  /// The bytes of the file without the line end after them. A file that other users can access is refused.
  package static func read(_ path: String) throws(Problem) -> [UInt8] {
    var bytes = try contents(path)
    while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
      bytes.removeLast()
    }
    if bytes.isEmpty { throw Problem(reason: "\(path): the file is empty; put the secret on its first line") }
    guard bytes.count <= sizeLimit else {
      throw Problem(reason: "\(path): the file is larger than \(sizeLimit) bytes, so it is not a secret")
    }
    return bytes
  }

  private static func contents(_ path: String) throws(Problem) -> [UInt8] {
    let mode: mode_t
    let bytes: [UInt8]
    do throws(SystemCallError) {
      let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
      let status = try file.status(path)
      guard status.isRegularFile else { throw SystemCallError("read", path, code: EINVAL) }
      mode = status.st_mode
      bytes = try file.bytes(at: 0, count: sizeLimit + 1, subject: path)
    } catch {
      throw Problem(reason: error.description)
    }
    guard mode & 0o007 == 0 else {
      throw Problem(reason: "\(path): other users can access this file; run chmod 600 \(path)")
    }
    return bytes
  }
}
