import Bytes

/// A line of Cloud Hypervisor's log: `cloud-hypervisor: 16.865408ms: <vmm> INFO:vmm/src/device_manager.rs:2552 --
/// text`; its time is relative to the start of the process.
enum CloudHypervisorLine {
  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    var scanner = TextScanner(text)
    guard scanner.take("cloud-hypervisor: ") else { return false }
    // Newer ones set the time in, so that the columns stand below each other.
    scanner.skipBlanks()
    guard let elapsed = duration(&scanner) else { return false }
    var thread = ByteSlice.empty
    if scanner.take(UInt8(ascii: "<")) {
      let rest = scanner.rest
      guard let end = rest.range(of: "> ") else { return false }
      thread = rest.prefix(end)
      scanner.skip(end + 2)
    }
    guard let word = scanner.word(upTo: UInt8(ascii: ":")), let level = LevelName.normalized(word),
      let place = scanner.word(), scanner.take(" -- ")
    else { return false }
    record.level = level
    record.name = record.arena.copy("cloud-hypervisor" as StaticString)
    record.source = record.name
    record.message = scanner.rest.trimmed
    record.setField("elapsed", elapsed)
    record.setField("location", place)
    if !thread.isEmpty { record.setField("thread", thread) }
    return true
  }

  /// Takes `16.865408ms: ` and the like.
  private static func duration(_ scanner: inout TextScanner) -> ByteSlice? {
    var attempt = scanner
    guard let word = attempt.word(), word.hasSuffix("s:"), word.count > 2,
      word[0].isDigit, attempt.take(UInt8(ascii: " "))
    else { return nil }
    scanner = attempt
    return word.prefix(word.count - 1)
  }
}
