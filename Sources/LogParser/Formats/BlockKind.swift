import Bytes

/// The kinds of records of several lines: how the first line is recognised, and which of the following belong to it.
///
/// It looks at the lines without their prefixes, so that a panic is one record wherever it was written: bare, in the
/// journal, in a container's log, on a guest's console.
enum BlockKind {
  /// A panic of Rust with its backtrace.
  case rustPanic
  /// An error that ends a Rust program, with the chain of its causes.
  case rustError
  /// A panic or fatal error of Go with its goroutines.
  case goPanic
  /// An oops, a panic or another report of Linux.
  case kernel
  /// QEMU's dump of the registers of a processor.
  case registers
  /// What a command that failed says, with the causes.
  case commandError
  /// A thread's backtrace out of a core or a debugger.
  case nativeStack
  /// A record that goes on in lines that are set in.
  case indented

  /// Whether the first line alone is no sign: the following one must be one of its kind.
  var needsSecondLine: Bool {
    self == .rustError || self == .indented || self == .commandError || self == .nativeStack
  }

  /// The level of such a record that does not state one.
  var level: ByteSlice {
    switch self {
    case .indented, .nativeStack: .empty
    case .rustError, .commandError: LevelName.error
    case .rustPanic, .goPanic, .kernel, .registers: LevelName.critical
    }
  }

  /// The kind of block that a message begins.
  static func beginning(with text: ByteSlice, isKernels: Bool) -> BlockKind? {
    guard let first = text.bytes.first else { return nil }
    if isKernels { return KernelReport.begins(text) ? .kernel : nil }
    switch first {
    case UInt8(ascii: "t"): return RustPanic.begins(text) ? .rustPanic : nil
    case UInt8(ascii: "T"), UInt8(ascii: "#"): return NativeStack.begins(text) ? .nativeStack : nil
    case UInt8(ascii: "c"), UInt8(ascii: "d"), UInt8(ascii: "k"):
      return CommandError.begins(text) ? .commandError : nil
    case UInt8(ascii: "E"): return text.hasPrefix("Error: ") ? .rustError : nil
    case UInt8(ascii: "p"), UInt8(ascii: "f"), UInt8(ascii: "u"), UInt8(ascii: "g"):
      return GoPanic.begins(text) ? .goPanic : nil
    case UInt8(ascii: "r"):
      return GoPanic.begins(text) ? .goPanic : CommandError.begins(text) ? .commandError : nil
    case UInt8(ascii: "S"):
      return NativeStack.begins(text) ? .nativeStack : GoPanic.begins(text) ? .goPanic : nil
    case UInt8(ascii: "K"), UInt8(ascii: "e"), UInt8(ascii: "F"):
      return RegisterDump.begins(text) ? .registers : nil
    default: return nil
    }
  }
}

/// Rust's panics. https://doc.rust-lang.org/std/macro.panic.html
enum RustPanic {
  static func begins(_ text: ByteSlice) -> Bool {
    guard text.hasPrefix("thread '"), let place = text.range(of: " panicked at ") else { return false }
    return place < 256
  }

  /// Whether the first line already has the whole message, so that only the backtrace follows: the old form is
  /// `'message', file:line:column`.
  static func isWhole(_ text: ByteSlice) -> Bool {
    guard let place = text.range(of: " panicked at '") else { return false }
    return text.range(of: "', ", from: place + 14) != nil
  }

  /// Whether a line belongs to a backtrace, or is a note about the panic.
  static func continues(_ text: ByteSlice) -> Bool {
    text.hasPrefix("note: ") || text.hasPrefix("stack backtrace:") || text.hasPrefix("Caused by:")
      || text.hasPrefix("Stack backtrace:") || text.hasPrefix("Aborted")
      || text.hasPrefix("fatal runtime error:")
      || text.hasPrefix("thread panicked while processing") || isFrame(text)
  }

  /// `12: function`, `at file:line`, `- 0x…`.
  static func isFrame(_ text: ByteSlice) -> Bool {
    var scanner = TextScanner(text)
    scanner.skipBlanks()
    let isIndented = scanner.index > 0
    if scanner.rest.hasPrefix("at ") { return isIndented }
    if isIndented, scanner.rest.hasPrefix("0x") || scanner.rest.hasPrefix("- 0x") { return true }
    return scanner.number(1, 5) != nil && scanner.take(UInt8(ascii: ":"))
      && (scanner.isAtEnd || scanner.next == UInt8(ascii: " "))
  }
}

/// Go's panics, fatal errors and dumps of goroutines. https://pkg.go.dev/runtime
enum GoPanic {
  static func begins(_ text: ByteSlice) -> Bool {
    text.hasPrefix("panic: ") || text.hasPrefix("fatal error: ") || text.hasPrefix("unexpected fault address")
      || text.hasPrefix("runtime: ") || isSignal(text) || isGoroutine(text)
  }

  private static func isSignal(_ text: ByteSlice) -> Bool {
    guard text.hasPrefix("SIG"), let colon = text.range(of: ": "), colon < 12 else { return false }
    return text.prefix(colon).bytes.allSatisfy { $0.isUpper }
  }

  private static func isGoroutine(_ text: ByteSlice) -> Bool {
    var scanner = TextScanner(text)
    return scanner.take("goroutine ") && scanner.number(1, 18) != nil && text.hasSuffix("]:")
  }

  static func continues(_ text: ByteSlice) -> Bool {
    if text.peek(0) == 0x09 || text.hasPrefix("        ") { return true }
    if text.hasPrefix("goroutine ") || text.hasPrefix("created by ") || text.hasPrefix("[signal ")
      || text.hasPrefix("runtime stack:") || text.hasPrefix("exit status ") || text.hasPrefix("panic: ")
      || text.hasPrefix("fatal error: ") || text.range(of: "additional frames elided") != nil
      || text.range(of: "[recovered") != nil || text.hasPrefix("runtime: ") || text.hasPrefix("PC=0x")
      || text.hasPrefix("stack: frame=") || isStackWords(text)
    {
      return true
    }
    return isPlace(text) || isCall(text) || isRegister(text)
  }

  /// `00007fff9c859368:  0000000000000000  00007fff9c8593e0`: a piece of the stack of a thread that has no frames.
  private static func isStackWords(_ text: ByteSlice) -> Bool {
    text.count > 18 && text.prefix(16).bytes.allSatisfy { $0.isHexDigit } && text[16] == UInt8(ascii: ":")
  }

  /// `/path/file.go:12 +0x1d`.
  private static func isPlace(_ text: ByteSlice) -> Bool {
    let word = text.prefix(text.firstIndex(of: UInt8(ascii: " ")) ?? text.count)
    guard let place = word.range(of: ".go:") ?? word.range(of: ".s:") else { return false }
    let number = word.dropFirst((word.firstIndex(of: UInt8(ascii: ":"), from: place) ?? place) + 1)
    guard DecimalNumber.parse(number) != nil else { return false }
    return word.count == text.count || text.dropFirst(word.count).hasPrefix(" +0x")
  }

  /// `package.(*Type).function(0x1, {0x2, 0x3})`: one word and its arguments.
  private static func isCall(_ text: ByteSlice) -> Bool {
    guard text.hasSuffix(")"), let open = text.firstIndex(of: UInt8(ascii: "(")), open > 0 else {
      return false
    }
    let name = text.prefix(open)
    return (name.contains(UInt8(ascii: ".")) || name == "panic") && !name.contains(UInt8(ascii: " "))
  }

  /// `rax    0x0`.
  private static func isRegister(_ text: ByteSlice) -> Bool {
    var scanner = TextScanner(text)
    guard let word = scanner.word(), word.count <= 6, scanner.next == UInt8(ascii: " ") else { return false }
    scanner.skipBlanks()
    return scanner.take("0x")
  }
}

/// QEMU's dump of a processor's registers when KVM gives up.
enum RegisterDump {
  static func begins(_ text: ByteSlice) -> Bool {
    text.hasPrefix("KVM internal error") || text.hasPrefix("emulation failure")
      || text.hasPrefix("error: kvm run failed") || text.hasPrefix("Failed to put registers")
  }

  static func continues(_ text: ByteSlice) -> Bool {
    if begins(text) || text.hasPrefix("extra data") { return true }
    guard let equals = text.firstIndex(of: UInt8(ascii: "=")), equals >= 2, equals <= 5 else { return false }
    let name = text.prefix(equals).trimmed
    if name == "Code" || name == "EFER" || name.count > 3 { return name == "Code" || name == "EFER" }
    return name.bytes.allSatisfy { $0.isUpper || $0.isDigit }
  }
}
