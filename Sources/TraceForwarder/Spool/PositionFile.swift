import Glibc
import System

/// How far an exporter has delivered, stored in the spool's directory.
///
/// The file has two slots, a block of 4 KiB each, that are written in turn and in place: one of them is whole whatever
/// happens during the write, and a full disk does not keep the position from being written.
enum PositionFile {
  static let suffix = ".position"
  private static let title = "kata-spool-position"
  private static let slotBytes = 4096
  private static let slots = 2
  /// A line is never longer.
  private static let lineBytes = 128

  static func name(_ exporter: String) -> String { exporter + suffix }

  enum Reading: Equatable {
    case missing
    case position(SpoolPosition)
    /// A position of version 1, which has no checksum.
    case unchecked(SpoolPosition)
    case damaged
    /// It could not be read, for this reason.
    case unreadable(String)
  }

  static func read(_ exporter: String, in directory: SpoolDirectory, _ key: SpoolKey) -> Reading {
    let lines: [[UInt8]]
    do throws(SystemCallError) {
      guard let read = try readLines(name(exporter), in: directory) else { return .missing }
      lines = read
    } catch {
      return .unreadable(error.description)
    }
    return read(lines, key)
  }

  /// The further one of the slots that are whole.
  static func read(_ lines: [[UInt8]], _ key: SpoolKey) -> Reading {
    if let furthest = lines.compactMap({ position($0, key) }).max() { return .position(furthest) }
    let text = String(decoding: lines.first ?? [], as: UTF8.self)
    if lines.count == 1, let position = SpoolPosition(text) { return .unchecked(position) }
    return .damaged
  }

  /// The furthest position of any exporter, whole or not.
  static func last(in directory: SpoolDirectory, _ key: SpoolKey) -> SpoolPosition? {
    let names = ((try? directory.names()) ?? []).filter { $0.hasSuffix(suffix) }
    return names.compactMap { name in
      switch read(String(name.dropLast(suffix.count)), in: directory, key) {
      case .position(let position), .unchecked(let position): position
      case .missing, .damaged, .unreadable: nil
      }
    }.max()
  }

  /// The version of a file that a later forwarder wrote; nil when it is of a known one. Every version has the title and
  /// the version at the beginning of both slots, so that one flipped bit makes no later version.
  static func newerVersion(_ name: String, in directory: SpoolDirectory) -> String? {
    guard let lines = (try? readLines(name, in: directory)) ?? nil else { return nil }
    let versions = lines.compactMap { line -> Int? in
      let words = words(line)
      guard words.count >= 2, words[0] == title else { return nil }
      return Int(words[1])
    }
    guard versions.count == slots, let first = versions.first, first > 2, versions.allSatisfy({ $0 == first })
    else { return nil }
    return String(first)
  }

  /// The slot to overwrite first; nil if the file does not have both.
  static func olderSlot(_ exporter: String, in directory: SpoolDirectory, _ key: SpoolKey) -> Int? {
    guard let file = try? directory.open(name(exporter), O_RDONLY),
      let status = try? file.status(exporter), Int(status.st_size) == slots * slotBytes,
      let lines = (try? readLines(name(exporter), in: directory)) ?? nil, lines.count == slots,
      let first = position(lines[0], key)
    else { return nil }
    guard let second = position(lines[1], key) else { return 1 }
    return first < second ? 0 : 1
  }

  /// The beginnings of the existing slots; nil if there is no file.
  private static func readLines(_ name: String, in directory: SpoolDirectory) throws(SystemCallError)
    -> [[UInt8]]?
  {
    let file: FileDescriptor
    do throws(SystemCallError) { file = try directory.open(name, O_RDONLY) } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    var lines: [[UInt8]] = []
    for slot in 0..<slots {
      let line = try file.bytes(
        at: slot * slotBytes, count: lineBytes, subject: directory.path(name))
      if slot == 0 || !line.isEmpty { lines.append(line) }
    }
    return lines
  }

  private static func words(_ line: [UInt8]) -> [Substring] {
    String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\n" }
  }

  private static func position(_ line: [UInt8], _ key: SpoolKey) -> SpoolPosition? {
    let words = words(line)
    guard words.count == 5, words[0] == title, words[1] == "2",
      let position = SpoolPosition(segment: words[2], offset: words[3]),
      UInt32(words[4], radix: 16) == key.checksum(text(position))
    else { return nil }
    return position
  }

  private static func text(_ position: SpoolPosition) -> String { "\(title) 2 \(position)" }

  /// A line and spaces up to the end of its slot.
  static func slot(_ position: SpoolPosition, _ key: SpoolKey) -> [UInt8] {
    let text = text(position)
    let digits = String(key.checksum(text), radix: 16)
    let line = "\(text) \(String(repeating: "0", count: 8 - digits.count))\(digits)"
    return Array(line.utf8) + [UInt8](repeating: UInt8(ascii: " "), count: slotBytes - 1 - line.utf8.count)
      + [UInt8(ascii: "\n")]
  }

  /// Makes the file, with its place on the disk, or brings it to this version.
  static func prepare(
    _ position: SpoolPosition, _ exporter: String, in directory: SpoolDirectory, _ key: SpoolKey
  ) throws(SystemCallError) {
    let slot = slot(position, key)
    try directory.replace(name(exporter), slot + slot)
  }

  /// Overwrites a slot in place, and has it on disk.
  static func write(
    _ position: SpoolPosition, slot number: Int, _ exporter: String, in directory: SpoolDirectory,
    _ key: SpoolKey
  ) throws(SystemCallError) {
    let path = directory.path(name(exporter))
    let file = try directory.open(name(exporter), O_WRONLY)
    try file.writeAll(slot(position, key), at: number * slotBytes, subject: path)
    guard fdatasync(file.number) == 0 else { throw SystemCallError("fdatasync", path) }
  }
}
