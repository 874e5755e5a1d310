import Bytes
import Glibc
import System

/// Keeps the position in the journal between runs: the cursor on the first line, as in journalctl's file, and
/// the format's version and a checksum on the second. See `formats/cursor`.
package struct CursorFile {
  /// The version that is written. Version 1, like journalctl's file, has only the first line.
  package static let version = 2

  private static let sizeLimit = 4096
  private static let mark = "# kata-log-parser-cursor "

  private let path: String

  package init(path: String) { self.path = path }

  /// The cursor; nil if the file does not exist yet.
  ///
  /// A file that is damaged, or of a version that this tool does not know, is refused: to guess a place could mean to
  /// pass over records.
  package func read() throws(Run.Failure) -> String? {
    let bytes: [UInt8]
    do throws(SystemCallError) {
      let file = try FileDescriptor.open(path, O_RDONLY)
      bytes = try file.bytes(at: 0, count: Self.sizeLimit + 1, subject: path)
    } catch {
      if error.code == ENOENT { return nil }
      throw .message(error.description)
    }
    guard bytes.count <= Self.sizeLimit else { throw noCursor("it is longer than \(Self.sizeLimit) bytes") }
    return try parse(bytes[...])
  }

  private func parse(_ bytes: ArraySlice<UInt8>) throws(Run.Failure) -> String {
    if bytes.isEmpty { throw noCursor("it is empty") }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let cursor = String(decoding: lines[0], as: UTF8.self)
    guard lines.count > 1 else { throw noCursor("its first line has no end") }
    // Two parts, of which the second is empty: one line, which is version 1.
    if lines.count > 2 || !lines[1].isEmpty {
      let second = String(decoding: lines[1], as: UTF8.self)
      guard second.hasPrefix(Self.mark) else { throw noCursor("its second line is unknown") }
      let version = second.dropFirst(Self.mark.count).prefix { $0 != " " }
      if let number = Int(version), number > Self.version { throw newer(number) }
      guard bytes.elementsEqual(Self.text(cursor).utf8) else { throw noCursor("its checksum is wrong") }
    }
    guard Self.isCursor(cursor) else { throw noCursor("its first line is not of the form s=...;i=...;b=...") }
    return cursor
  }

  private func noCursor(_ reason: String) -> Run.Failure {
    .message(
      "\(path): not a journal cursor: \(reason); remove the file to start at the beginning of the journal, or write the cursor of your last record to it (see journalctl --show-cursor)"
    )
  }

  private func newer(_ version: Int) -> Run.Failure {
    .message(
      "\(path): the cursor file has version \(version), and this kata-log-parser supports versions up to \(Self.version); install a newer kata-log-parser, or remove the file to start at the beginning of the journal"
    )
  }

  /// Whether the text has the form of libsystemd's cursors: a damaged one must not be mistaken for another entry's.
  private static func isCursor(_ text: String) -> Bool {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts[0].hasPrefix("s="), parts.contains(where: { $0.hasPrefix("i=") }) else {
      return false
    }
    return parts.allSatisfy { part in
      let bytes = Array(part.utf8)
      guard bytes.count > 2, bytes[1] == UInt8(ascii: "="),
        bytes[2...].allSatisfy({ HexDigit.value($0) != nil })
      else { return false }
      switch bytes[0] {
      case UInt8(ascii: "s"), UInt8(ascii: "b"): return bytes.count == 34
      case UInt8(ascii: "i"), UInt8(ascii: "m"), UInt8(ascii: "t"), UInt8(ascii: "x"):
        return bytes.count <= 18
      default: return false
      }
    }
  }

  /// Replaces the cursor atomically: even after a crash, the file holds either the old or the new one.
  package func write(_ cursor: String) throws(SystemCallError) {
    var target = try OutputTarget.file(path, mode: 0o600)
    var text = OutputBuffer(capacity: 512)
    text.append(string: Self.text(cursor))
    try target.write(text.bytes)
    try target.finish(isDurable: true)
  }

  private static func text(_ cursor: String) -> String {
    let digits = String(checksum(cursor.utf8), radix: 16)
    let padding = String(repeating: "0", count: 8 - digits.count)
    return "\(cursor)\n\(mark)\(version) crc32c=\(padding)\(digits)\n"
  }

  /// CRC-32C (https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4), bit by bit: there are few bytes.
  private static func checksum(_ bytes: String.UTF8View) -> UInt32 {
    var sum: UInt32 = ~0
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
    }
    return ~sum
  }
}
