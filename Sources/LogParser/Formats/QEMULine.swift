import Bytes

/// A line that QEMU writes to standard error: `qemu-system-x86_64: warning: text`, after the time with
/// `-msg timestamp=on`.
enum QEMULine {
  /// - Parameters:
  ///   - rest: the text after the time, if there is one.
  ///   - time: nil if the line has none.
  static func read(_ rest: ByteSlice, time: Timestamp?, into record: inout Record) -> Bool {
    guard let colon = rest.range(of: ": "), colon > 0, colon < 256 else { return false }
    let path = rest.prefix(colon)
    if path.contains(UInt8(ascii: " ")) { return false }
    let program = path.dropFirst((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)
    guard program.hasPrefix("qemu-") && program.count > 5 || program == "kvm" || program == "qemu" else {
      return false
    }
    guard program.bytes.allSatisfy({ $0.isWordByte || $0 == UInt8(ascii: "-") }) else { return false }
    record.time = time ?? .unset
    record.name = program
    record.source = record.arena.copy("qemu" as StaticString)
    record.message = rest.dropFirst(colon + 2).trimmed
    record.level = level(record.message)
    return true
  }

  private static func level(_ text: ByteSlice) -> ByteSlice {
    if text.hasPrefix("warning: ") { return LevelName.warning }
    if text.range(of: "error: ") != nil { return LevelName.error }
    if text.hasPrefix("info: ") { return LevelName.info }
    return .empty
  }
}
