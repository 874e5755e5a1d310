import Bytes

/// A line of Firecracker's log: `2026-03-05T10:50:30.020581822
/// [anonymous-instance:main:WARN:src/vmm/src/builder.rs:172] text`, in older versions without the thread and the place.
/// https://github.com/firecracker-microvm/firecracker/blob/main/docs/logger.md
enum FirecrackerLine {
  /// Kata names the instance after the beginning of the sandbox's id, which has at least this length.
  private static let shortestID = 20

  /// - Parameter rest: the text after the time and the blanks that follow it.
  static func read(_ rest: ByteSlice, time: Timestamp, into record: inout Record) -> Bool {
    var scanner = TextScanner(rest)
    guard scanner.take(UInt8(ascii: "[")), let head = takeHead(&scanner),
      let colon = head.firstIndex(of: UInt8(ascii: ":")), colon > 0
    else { return false }
    let instance = head.prefix(colon)
    if instance.contains(UInt8(ascii: " ")) { return false }
    var left = head.dropFirst(colon + 1)
    var thread = ByteSlice.empty
    var level = firstPart(left)
    var found = LevelName.normalized(level)
    if found == nil, level.count < left.count {
      thread = level
      left = left.dropFirst(thread.count + 1)
      level = firstPart(left)
      found = LevelName.normalized(level)
    }
    // What it logs before its logger is set up has no level.
    if found == nil {
      guard thread.isEmpty, isInstance(instance) else { return false }
      thread = level
      level = left
    }
    record.time = time
    record.level = found ?? .empty
    record.name = record.arena.copy("firecracker" as StaticString)
    let place = left.dropFirst(level.count + 1)
    record.source = place.isEmpty ? record.name : place
    record.message = scanner.rest.trimmed
    record.setField("instance", instance)
    if !thread.isEmpty { record.setField("thread", thread) }
    if isID(instance) { record.sandbox = instance }
    return true
  }

  /// Takes what stands between the brackets; a thread's name may have a blank: `fc_vcpu 0`.
  private static func takeHead(_ scanner: inout TextScanner) -> ByteSlice? {
    let rest = scanner.rest
    guard let stop = rest.firstIndex(of: UInt8(ascii: "]")), stop > 0, stop < 256 else { return nil }
    scanner.skip(stop + 1)
    return rest.prefix(stop)
  }

  private static func isInstance(_ name: ByteSlice) -> Bool { name == "anonymous-instance" || isID(name) }

  private static func isID(_ name: ByteSlice) -> Bool {
    name.count >= shortestID && name.bytes.allSatisfy { $0.isHexDigit || $0 == 0x2d }
  }

  private static func firstPart(_ text: ByteSlice) -> ByteSlice {
    text.prefix(text.firstIndex(of: UInt8(ascii: ":")) ?? text.count)
  }
}

extension UInt8 {
  /// Whether the byte is a lower-case hexadecimal digit.
  var isHexDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self) }
}
