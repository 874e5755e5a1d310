import Bytes

/// Text of other programs in messages of the Rust runtime: the guest's console, a hypervisor's standard error, a
/// helper's output. Most of it is a Rust string literal.
enum RustMessage {
  /// A line of the guest's console.
  case console(ByteSlice)
  /// A line of a program that the runtime started.
  case helper(Program, ByteSlice)
  /// The runtime's own panic with its backtrace.
  case panic(ByteSlice)

  enum Program {
    case firecracker, qemu, cloudHypervisor, virtiofsd, nydusd

    var text: StaticString {
      switch self {
      case .firecracker: "firecracker"
      case .qemu: "qemu"
      case .cloudHypervisor: "cloud-hypervisor"
      case .virtiofsd: "virtiofsd"
      case .nydusd: "nydusd"
      }
    }
  }

  /// - Parameter mayBeBare: whether a text that is a single literal is output of cloud-hypervisor.
  init?(_ text: ByteSlice, mayBeBare: Bool, _ arena: inout Arena) {
    guard let first = text.bytes.first else { return nil }
    switch first {
    case UInt8(ascii: "\""):
      guard mayBeBare, let inner = Self.literal(text, after: "", &arena) else { return nil }
      self = .console(inner)
    case UInt8(ascii: "v"):
      guard let inner = Self.literal(text, after: "vm console: ", &arena) else { return nil }
      self = .console(inner)
    case UInt8(ascii: "f"), UInt8(ascii: "q"), UInt8(ascii: "c"):
      guard let (program, inner) = Self.output(text, &arena) else { return nil }
      self = .helper(program, inner)
    case UInt8(ascii: "s") where text.hasPrefix("source: virtiofsd "):
      self = .helper(.virtiofsd, text.dropFirst(18))
    case UInt8(ascii: "n") where text.hasPrefix("nydusd start: "):
      self = .helper(.nydusd, text.dropFirst(14))
    case UInt8(ascii: "n") where text.hasPrefix("nydusd stdout: "):
      self = .helper(.nydusd, text.dropFirst(15))
    case UInt8(ascii: "A") where text.hasPrefix("A panic occurred at "):
      guard let message = Self.panicText(text, &arena) else { return nil }
      self = .panic(message)
    default: return nil
    }
  }

  private static let programs: [(prefix: StaticString, program: Program)] = [
    ("fc stderr: ", .firecracker), ("fc stdout: ", .firecracker), ("qemu stderr: ", .qemu),
    ("qemu stdout: ", .qemu), ("ch stderr: ", .cloudHypervisor), ("ch stdout: ", .cloudHypervisor),
  ]

  private static func output(_ text: ByteSlice, _ arena: inout Arena) -> (Program, ByteSlice)? {
    for (prefix, program) in programs {
      if let inner = literal(text, after: prefix, &arena) { return (program, inner) }
    }
    return nil
  }

  /// The content of the Rust string literal that makes up the text after `prefix`, without its line end.
  static func literal(_ text: ByteSlice, after prefix: StaticString, _ arena: inout Arena) -> ByteSlice? {
    let start = prefix.utf8CodeUnitCount
    guard text.count >= start + 2, text.hasPrefix(prefix), text[start] == UInt8(ascii: "\""),
      text[text.count - 1] == UInt8(ascii: "\""),
      let inner = try? Unescaper.unescape(text.slice(start + 1, text.count - 1), rule: .rust, into: &arena)
    else { return nil }
    return inner.droppingLast(UInt8(ascii: "\n")).droppingLast(UInt8(ascii: "\r"))
  }

  /// `A panic occurred at FILE:LINE: CAUSE`, a line end, and the backtrace as a literal.
  private static func panicText(_ text: ByteSlice, _ arena: inout Arena) -> ByteSlice? {
    guard let quote = text.range(of: "\n\""),
      let trace = literal(text.dropFirst(quote + 1), after: "", &arena)
    else { return nil }
    return arena.join(text.prefix(quote).droppingLast(UInt8(ascii: "\r")), UInt8(ascii: "\n"), trace)
  }
}
