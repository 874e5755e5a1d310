import Bytes

/// The error message of a command: its name, a colon, and the chain of errors from the runtime, which may continue with
/// the agent's causes and backtraces: `ctr: failed to create shim task: …`.
enum CommandError {
  /// Commands that print their own name before an error, and only there.
  private static let commands: [StaticString] = [
    "ctr", "crictl", "containerd-shim-kata-v2", "docker", "kata-ctl", "kata-monitor", "kata-runtime", "runc",
  ]
  private static let longest = 23

  static func begins(_ text: ByteSlice) -> Bool { name(text) != nil }

  private static func name(_ text: ByteSlice) -> ByteSlice? {
    guard let colon = text.prefix(longest + 1).firstIndex(of: UInt8(ascii: ":")), colon > 2,
      text.peek(colon + 1) == UInt8(ascii: " ")
    else { return nil }
    let name = text.prefix(colon)
    return commands.contains { name == $0 } ? name : nil
  }

  /// The message keeps the command's name: it is what was printed.
  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    guard let name = name(text), text.count > name.count + 2 else { return false }
    record.name = name
    record.message = text
    record.level = LevelName.error
    record.marks.insert(.levelIsInferred)
    return true
  }

  /// Whether a line continues an error: its causes, a backtrace, or what follows them.
  static func continues(_ text: ByteSlice) -> Bool {
    text.hasPrefix("Caused by:") || text.hasPrefix("Stack backtrace:") || text.hasPrefix("    ")
      || text.hasPrefix(": ") || RustPanic.isFrame(text)
  }
}

/// A backtrace as gdb and systemd-coredump print it, a thread at a time.
enum NativeStack {
  static func begins(_ text: ByteSlice) -> Bool {
    guard text.count > 20 else { return false }
    if text.hasPrefix("Thread ") {
      return text.range(of: "(Thread 0x") != nil || text.range(of: "(LWP ") != nil
    }
    return text.hasPrefix("Stack trace of thread ") || text.hasPrefix("#0  ")
  }

  static func continues(_ text: ByteSlice) -> Bool {
    if text.hasPrefix("    ") { return true }
    var scanner = TextScanner(text)
    return scanner.take(UInt8(ascii: "#")) && scanner.number(1, 5) != nil && scanner.take(UInt8(ascii: " "))
  }
}

/// The stack that Go's loggers print below an error: a function, and its place set in by a tab.
enum GoStack {
  /// `example.com/module/package.(*Type).function`.
  static func isFunction(_ text: ByteSlice) -> Bool {
    guard text.peek(0).isLetter, text.count < 512, text.contains(UInt8(ascii: ".")) else { return false }
    for byte in text.bytes where !byte.isWordByte {
      switch byte {
      case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
        UInt8(ascii: "-"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "~"):
        continue
      default: return false
      }
    }
    return true
  }
}
