import Bytes
import System

/// A piece, in memory, of a file of version 1's records that has no header, such as the Jaeger file exporter's.
struct SpoolPiece: ~Copyable {
  private(set) var bytes: [UInt8] = []
  /// Where in the segment it begins.
  private(set) var start = 0
  private var needed = 256 << 10
  private var isAtEnd = false
  /// Whether what the last ``skipRecords(_:)`` stopped at is cut off by the end of the file.
  private(set) var isTorn = false

  mutating func fill(_ file: borrowing FileDescriptor, at offset: Int, limit: Int, _ path: String)
    throws(SystemCallError)
  {
    start = offset
    let count = max(0, min(needed, limit - offset))
    // A file that is shorter than its header ends before the offset.
    isAtEnd = count >= limit - offset
    if bytes.count != count { bytes = [UInt8](repeating: 0, count: count) }
    let got = count > 0 ? try file.read(at: offset, into: &bytes, count: count, subject: path) : 0
    if got < count { bytes.removeLast(count - got) }
    needed = 256 << 10
  }

  /// Passes over the whole records of this piece; nil if there is none, and filling further would not provide one.
  mutating func skipRecords(_ offset: inout Int) -> Int? {
    var count = 0
    var incomplete: Int?
    isTorn = false
    bytes.withUnsafeBytes { bytes in
      while incomplete == nil {
        switch SpoolFormat.record(at: offset - start, in: bytes) {
        case .good(_, let end), .damaged(let end):
          // A damaged last record is a torn one.
          if isAtEnd, end == bytes.count, case .damaged = SpoolFormat.record(at: offset - start, in: bytes) {
            incomplete = 0
            isTorn = true
            break
          }
          offset = start + end
          count += 1
        case .incomplete(let more):
          incomplete = more
          isTorn = isAtEnd
        case .senseless: incomplete = 0
        }
      }
    }
    if count > 0 { return count }
    guard let more = incomplete, more > bytes.count, !isAtEnd else { return nil }
    needed = more
    return 0
  }
}
