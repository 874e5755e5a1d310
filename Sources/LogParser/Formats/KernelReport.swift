import Bytes

/// Reports of the Linux kernel that span several lines: oopses, panics, stalls, out-of-memory kills.
/// https://docs.kernel.org/admin-guide/bug-hunting.html
enum KernelReport {
  private static let heads: [StaticString] = [
    "BUG: ", "kernel BUG at", "Kernel panic - not syncing", "Oops", "general protection fault",
    "Unable to handle kernel", "Internal error: ", "watchdog: BUG:", "------------[ cut here ]",
    "WARNING: CPU:",
    "divide error:", "invalid opcode:", "double fault:", "Illegal instruction", "stack segment:", "int3:",
    "traps: PANIC:", "Unhandled fault:", "Insufficient stack space",
  ]

  private static let parts: [StaticString] = [
    "CPU: ", "Hardware name:", "Call Trace:", "Call trace:", "RIP: ", "RSP: ", "Code: ", "CR2", "FS: ",
    "CS: ",
    "PKRU", "Modules linked in", "Tainted", "task: ", "Stack:", "Task in /", "Memory limit reached",
    "Workqueue:",
    "pstate", "pc :", "lr :", "sp :", "pc : ", "Krnl ", "Kernel Offset", "Rebooting in", "Dumping ftrace",
    "mem_cgroup",
    "Mem-Info", "active_anon", "Node ", "lowmem_reserve", "oom-kill:", "Out of memory",
    "Memory cgroup out of memory",
    "Memory cgroup stats", "Tasks state", "memory: usage", "swap: usage", "kmem: usage", "memory+swap: usage",
    "Call Trace", "Sending NMI", "NMI backtrace", "Supported:", "Comm: ", "Mem abort info:",
    "Data abort info:",
    "user pgtable:", "swapper pgtable:", "Internal error:", "DR", "ORIG_RAX", "EIP: ", "ESP: ", "EAX: ",
    "Last Breaking",
    "irq event stamp", "hardirqs ", "softirqs ", "PGD ", "PC is at", "LR is at", "Free swap", "Total swap",
    "SMP: stopping", "SMP NOPTI", "#PF: ", "RCU used illegally", "oom_reaper:", "Killed process",
    "Swap cache stats", "rcu: ", "Exception stack(", "note: ", "Sending IPI", "Disabling lock debugging",
    "---[ now ",
  ]

  static func begins(_ text: ByteSlice) -> Bool {
    guard let first = text.bytes.first else { return false }
    if firstBytes.contains(first) {
      for head in heads where text.hasPrefix(head) { return true }
    }
    if invokesKiller(text) { return true }
    if text.hasPrefix("rcu: INFO: ") || text.hasPrefix("INFO: ") {
      return text.range(of: "stall") != nil || text.range(of: "blocked for more than") != nil
    }
    return false
  }

  private static let firstBytes = Set("BkKOgUIwW-dist".utf8)

  /// `stress invoked oom-killer: …`; a kernel worker's name contains colons, too.
  private static func invokesKiller(_ text: ByteSlice) -> Bool {
    var from = 0
    while let colon = text.firstIndex(of: UInt8(ascii: ":"), from: from), colon <= 56 {
      if text.prefix(colon).hasSuffix(" invoked oom-killer") { return true }
      from = colon + 1
    }
    return false
  }

  /// Whether this line ends the report, except for what the kernel prints before it reboots.
  static func ends(_ text: ByteSlice) -> Bool {
    text.hasPrefix("---[ end ") || text.hasPrefix("oom_reaper:") || text.range(of: "Killed process ") != nil
  }

  /// Whether a line may follow the end.
  static func continuesAfterEnd(_ text: ByteSlice) -> Bool {
    text.hasPrefix("Kernel Offset") || text.hasPrefix("Rebooting in") || text.hasPrefix("oom_reaper:")
      || text.hasPrefix("---[ end ") || text.hasPrefix("note: ") || isRegisters(text)
  }

  /// What is printed again after the end: the processor's position.
  private static func isRegisters(_ text: ByteSlice) -> Bool {
    let heads: [StaticString] = [
      "RIP: ", "RSP: ", "Code: ", "CR2: ", "FS: ", "CS: ", "PKRU: ", "DR0: ", "DR3: ",
    ]
    return heads.contains { text.hasPrefix($0) } || isRegister(text)
  }

  static func continues(_ text: ByteSlice) -> Bool {
    if text.isEmpty || ends(text) || begins(text) { return true }
    for part in parts where text.hasPrefix(part) { return true }
    return isFrame(text) || isRegister(text) || isTaskRow(text) || isCounts(text) || isStall(text)
  }

  /// What a stall says about its processors, and the frames and stacks of ARM: `  2-...: (1 GPs behind) …`,
  /// ` (detected by 0, …)`, `task:name  state:…`, `schedule from schedule_timeout+0x…`, `9fa0: 00000000 …`.
  private static func isStall(_ text: ByteSlice) -> Bool {
    let words = text.trimmed
    if words.hasPrefix("(detected by ") || words.hasPrefix("(t=") || words.hasPrefix("task:") { return true }
    var scanner = TextScanner(words)
    if scanner.number(1, 5) != nil, scanner.take(UInt8(ascii: "-")) {
      while scanner.take(UInt8(ascii: ".")) || scanner.take(UInt8(ascii: "!"))
        || scanner.take(UInt8(ascii: "?"))
      {}
      if scanner.take(": (") { return true }
    }
    guard let colon = words.firstIndex(of: UInt8(ascii: ":")), colon == 4,
      words.prefix(4).bytes.allSatisfy({ $0.isHexDigit })
    else { return false }
    return words.dropFirst(5).bytes.allSatisfy { $0.isHexDigit || $0 == 0x20 }
  }

  /// ` ? function+0x1a/0x8c`, ` <TASK>`, ` [<ffffffff>] function+0x…`, an indented list.
  private static func isFrame(_ text: ByteSlice) -> Bool {
    let words = text.trimmed
    if words.hasPrefix("<"), words.hasSuffix(">"), words.count <= 16 { return true }
    if let plus = words.range(of: "+0x") { return words.prefix(plus).bytes.allSatisfy { isFrameByte($0) } }
    return words.hasPrefix("[last unloaded") || words.hasPrefix("[<")
  }

  private static func isFrameByte(_ byte: UInt8) -> Bool {
    byte.isWordByte || byte == 0x20 || byte == 0x3f || byte == 0x2e || byte == 0x5b || byte == 0x5d
      || byte == 0x3c
      || byte == 0x3e || byte == 0x24
  }

  /// `RAX: 0000…`, `x26: ffff…`, `r10: …`.
  private static func isRegister(_ text: ByteSlice) -> Bool {
    let words = text.trimmed
    guard let colon = words.firstIndex(of: UInt8(ascii: ":")), colon >= 2, colon <= 4 else { return false }
    let name = words.prefix(colon).trimmed
    guard let first = name.bytes.first, first == 0x52 || first == 0x72 || first == 0x78 || first == 0x45
    else {
      return false
    }
    let value = words.dropFirst(colon + 1).trimmed
    return value.count >= 4 && value.prefix(4).bytes.allSatisfy { $0.isHexDigit }
      && name.bytes.allSatisfy { $0.isWordByte }
  }

  /// `[  pid  ]   uid  tgid …` and its rows.
  private static func isTaskRow(_ text: ByteSlice) -> Bool {
    var scanner = TextScanner(text)
    guard scanner.take(UInt8(ascii: "[")) else { return false }
    scanner.skipBlanks()
    guard scanner.take("pid") || scanner.number(1, 10) != nil else { return false }
    scanner.skipBlanks()
    return scanner.take("] ")
  }

  /// `123 total pagecache pages`, `anon 4096`, `stress cpuset=/ mems_allowed=0`.
  private static func isCounts(_ text: ByteSlice) -> Bool {
    if text.range(of: "mems_allowed") != nil || text.hasSuffix(" pages") || text.hasSuffix(" pages RAM") {
      return true
    }
    var scanner = TextScanner(text)
    guard scanner.word() != nil, scanner.take(UInt8(ascii: " ")), scanner.number(1, 18) != nil else {
      return false
    }
    return scanner.isAtEnd
  }
}
