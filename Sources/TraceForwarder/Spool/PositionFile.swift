import Bytes
import Glibc
import System

/// Where an exporter was when it was last stopped, kept beside the spool.
enum PositionFile {
  static func path(_ exporter: String, in directory: String) -> String { "\(directory)/\(exporter).position" }

  static func read(_ exporter: String, in directory: String) -> SpoolPosition? {
    guard let file = try? FileDescriptor.open(path(exporter, in: directory), O_RDONLY) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = bytes.withUnsafeMutableBytes { target in
      target.baseAddress.flatMap { try? file.read(into: $0, count: 64, subject: exporter) } ?? 0
    }
    return SpoolPosition(String(decoding: bytes.prefix(count), as: UTF8.self))
  }

  /// The furthest position of any exporter.
  static func last(in directory: String) -> SpoolPosition? {
    let names = (try? DirectoryListing.names(in: directory)) ?? []
    return names.filter { $0.hasSuffix(".position") }.compactMap {
      read(String($0.dropLast(9)), in: directory)
    }.max()
  }

  /// Written beside and renamed, so that a crash leaves the one or the other.
  static func write(_ position: SpoolPosition, _ exporter: String, in directory: String)
    throws(SystemCallError)
  {
    try AtomicFile.write(Array("\(position)\n".utf8), to: path(exporter, in: directory), mode: 0o600)
  }
}

/// Files that are there whole or not at all.
package enum AtomicFile {
  package static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(SystemCallError) {
    try bytes.withBytes { bytes throws(SystemCallError) in try write(bytes, to: path, mode: mode) }
  }

  package static func write(_ bytes: UnsafeRawBufferPointer, to path: String, mode: mode_t)
    throws(SystemCallError)
  {
    let temporary = "\(path).tmp"
    let file = try FileDescriptor.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    do throws(SystemCallError) {
      try file.writeAll(bytes, subject: path)
      guard rename(temporary, path) == 0 else { throw SystemCallError("rename", path) }
    } catch {
      _ = unlink(temporary)
      throw error
    }
  }
}
