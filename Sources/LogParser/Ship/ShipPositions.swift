import Bytes
import Glibc
import System

/// How far each input of a shipper was delivered, as kept in its state directory. See `formats/ship`.
package struct ShipPositions: Sendable, Equatable {
  /// The version that is written.
  package static let version = 1
  private static let head = "# kata-log-parser-positions "
  private static let sizeLimit = 4 << 20

  /// The cursor of the journal entry that was delivered last.
  package var journal: String?
  package var files: [FilePlace] = []
  /// When files were looked for last, in nanoseconds since 1970: what came and was rotated later is not known here.
  package var time: Int64 = 0

  package init() {}

  /// A positions file that cannot be trusted.
  package struct Refusal: Error, CustomStringConvertible {
    package var description: String
  }

  /// The text of the file: a line for the version, one for the time, one for the journal, one a file, and the checksum
  /// of all before it.
  package var text: String {
    var text = "\(Self.head)\(Self.version)\n"
    if time > 0 { text += "time \(time)\n" }
    if let journal { text += "journal \(journal)\n" }
    for file in files {
      text +=
        "file \(Self.hex(file.identity.device)):\(Self.hex(file.identity.inode)) \(file.offset)"
        + " \(file.isDelivered ? 1 : 0) \(file.checked):\(Self.hex(UInt64(file.checksum))) \(Self.escaped(file.path))\n"
    }
    return text + "# crc32c=\(Self.checksum(text))\n"
  }

  /// Reads the text of a file.
  ///
  /// - Parameter path: the file's name in an error.
  package init(_ text: String, path: String) throws(Refusal) {
    func refuse(_ reason: String) -> Refusal {
      Refusal(
        description:
          "\(path): \(reason); a wrong position could skip records, so remove the file to read everything from the start"
      )
    }
    guard text.hasPrefix(Self.head) else { throw refuse("it is not a positions file") }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let number = lines[0].dropFirst(Self.head.count)
    guard Int(number) == Self.version else { throw refuse("its version is \(number), not \(Self.version)") }
    guard lines.count >= 3, lines[lines.count - 1].isEmpty else { throw refuse("it is truncated") }
    let body = lines[..<(lines.count - 2)].map { "\($0)\n" }.joined()
    guard lines[lines.count - 2] == "# crc32c=\(Self.checksum(body))" else {
      throw refuse("its checksum is wrong")
    }
    for line in lines[1..<(lines.count - 2)] {
      if line.hasPrefix("journal ") {
        journal = String(line.dropFirst(8))
      } else if line.hasPrefix("time "), let time = Int64(line.dropFirst(5)), time > 0 {
        self.time = time
      } else if let place = Self.place(line) {
        files.append(place)
      } else {
        throw refuse("it has an unknown line")
      }
    }
  }

  /// Reads the file of a path; nil when there is none.
  package static func read(_ path: String) throws(Refusal) -> ShipPositions? {
    let bytes: [UInt8]
    do throws(SystemCallError) {
      let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
      bytes = try file.bytes(at: 0, count: sizeLimit + 1, subject: path)
    } catch {
      if error.code == ENOENT { return nil }
      throw Refusal(description: error.description)
    }
    guard bytes.count <= sizeLimit else {
      throw Refusal(description: "\(path): it is over \(sizeLimit >> 20) MiB")
    }
    return try ShipPositions(String(decoding: bytes, as: UTF8.self), path: path)
  }

  /// Replaces the file at a path: at any moment, and after a crash, it has either the old positions or the new ones.
  package static func write(_ text: String, to path: String) throws(SystemCallError) {
    try AtomicFile.replace(path, mode: 0o600, durability: .name) { (file) throws(SystemCallError) in
      try file.writeAll(Array(text.utf8), subject: path)
    }
  }

  private static func place(_ line: Substring) -> FilePlace? {
    let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "file" else { return nil }
    let identity = parts[1].split(separator: ":")
    let check = parts[4].split(separator: ":")
    guard identity.count == 2, check.count == 2, let device = UInt64(identity[0], radix: 16),
      let inode = UInt64(identity[1], radix: 16), let offset = Int(parts[2]), offset >= 0,
      parts[3] == "0" || parts[3] == "1", let checked = Int(check[0]),
      (0...FilePlace.checkedBytes).contains(checked), let checksum = UInt32(check[1], radix: 16),
      let path = unescaped(parts[5])
    else { return nil }
    var place = FilePlace(path: path, identity: FilePlace.Identity(device: device, inode: inode))
    place.offset = offset
    place.isDelivered = parts[3] == "1"
    place.checked = checked
    place.checksum = checksum
    return place
  }

  private static func hex(_ number: UInt64) -> String { String(number, radix: 16) }

  private static func checksum(_ text: String) -> String {
    let digits = hex(UInt64(Array(text.utf8).withBytes { CRC32C.checksum($0) }))
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// A path on one line: escapes line ends, which would break the line.
  private static func escaped(_ path: String) -> String {
    var result = ""
    for scalar in path.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func unescaped(_ text: Substring) -> String? {
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        result.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "\\": result.append("\\")
      case "n": result.append("\n")
      case "r": result.append("\r")
      default: return nil
      }
    }
    return String(result)
  }
}
