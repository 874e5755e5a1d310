import Bytes
import System

/// A record of several lines while its lines arrive: its lines so far, and the record after it, which showed its end.
///
/// After ``lineLimit`` lines or ``byteLimit`` bytes it ends and is marked as truncated. If the input pauses, it waits
/// for at most ``patience``.
struct RecordBlock: ~Copyable {
  static let lineLimit = 512
  static let byteLimit = 64 << 10
  /// How many milliseconds to wait for the next line of a block if the input may continue.
  static let patience: Int32 = 200

  /// The contents of ``record``.
  enum State {
    case empty
    /// A block whose lines are still arriving.
    case open(BlockKind)
    /// A record, or a problem, that followed a block that was handed out.
    case waiting(RecordReader.Outcome)
  }

  private(set) var state = State.empty
  private(set) var record = Record()
  private var text: [UInt8] = []
  private var lineCount = 0
  private var hasEnded = false
  private var takesWords = false
  private var fieldCount = 0
  private var mayHaveStack = false
  /// How many bytes of a line are its carrier's: lines that go on below may be set in by as many blanks.
  private var indentation = 0
  private var isStamped = false
  private var host: [UInt8] = []
  private var openedAt: UInt64 = 0
  /// The number of the last line added; only blank lines are between it and the next one.
  private var lastLine: UInt64 = 0

  var isIdle: Bool { if case .empty = state { true } else { false } }
  var isOpen: Bool { if case .open = state { true } else { false } }

  /// Whether the wait for a paused input has timed out.
  var isDue: Bool { MonotonicClock.nanoseconds - openedAt >= UInt64(Self.patience) * 1_000_000 }

  /// Begins a block with a record, which is exchanged with `other`.
  mutating func open(_ kind: BlockKind, with other: inout Record, indentation: Int) {
    mayHaveStack = Self.mayHaveStack(other)
    other.ownTexts()
    swap(&record, &other)
    state = .open(kind)
    text = Array(record.message.bytes)
    lineCount = 1
    lastLine = record.line
    hasEnded = false
    self.indentation = indentation
    isStamped = record.fields.value(of: "kernel_time") != nil
    fieldCount = Self.signature(record)
    host = record.fields.value(of: "host").map { Array($0.bytes) } ?? []
    takesWords = kind == .rustPanic && !RustPanic.isWhole(record.message)
    openedAt = MonotonicClock.nanoseconds
  }

  /// The number of fields that say where a record came from: they are the same in all lines of a block.
  private static func signature(_ record: borrowing Record) -> Int {
    var count = record.fields.count
    if record.fields.value(of: "console") != nil { count -= 1 }
    if record.fields.value(of: "kernel_caller") != nil { count -= 1 }
    if record.fields.value(of: "kata-log-parser-raw") != nil { count -= 1 }
    return count
  }

  /// Whether a logger of Go may have printed a stack below a record.
  static func mayHaveStack(_ record: borrowing Record) -> Bool {
    record.pid == 0 && record.level == "error" && record.message.hasSuffix("}")
  }

  /// Adds a record's message if it belongs to the block.
  mutating func take(_ next: borrowing Record) -> Bool {
    guard case .open(let kind) = state else { return false }
    let line = next.message
    guard isSameWriter(next, kind), belongs(line, next, kind) else { return false }
    guard lineCount < Self.lineLimit, text.count + line.count < Self.byteLimit else {
      record.marks.insert(.isTruncated)
      return false
    }
    let gap = next.line > lastLine ? min(Int(next.line - lastLine), Self.lineLimit - lineCount) : 1
    text.append(contentsOf: repeatElement(0x0a, count: gap))
    text.append(contentsOf: kind == .indented ? line.dropFirst(indent(of: line)).bytes : line.bytes)
    lineCount += gap
    lastLine = next.line
    openedAt = MonotonicClock.nanoseconds
    return true
  }

  /// The number of leading blanks of a line that are below its carrier's prefix.
  private func indent(of line: ByteSlice) -> Int {
    var count = 0
    while count < min(indentation, line.count), line[count] == 0x20 { count += 1 }
    return count
  }

  private func isSameWriter(_ next: borrowing Record, _ kind: BlockKind) -> Bool {
    if kind == .indented { return next.marks.contains(.isRaw) || next.fields.value(of: "kernel_time") == nil }
    if kind == .commandError { return next.marks.contains(.isRaw) }
    guard next.pid == record.pid, next.name.equals(record.name) || kind == .registers,
      next.level.equals(record.level)
    else { return false }
    if isStamped != (next.fields.value(of: "kernel_time") != nil) { return false }
    if let nextHost = next.fields.value(of: "host") {
      guard nextHost.bytes.elementsEqual(host) else { return false }
    } else if !host.isEmpty {
      return false
    }
    return Self.signature(next) == fieldCount
  }

  private mutating func belongs(_ line: ByteSlice, _ next: borrowing Record, _ kind: BlockKind) -> Bool {
    switch kind {
    case .indented:
      let isStack = mayHaveStack && GoStack.isFunction(line)
      return next.marks.contains(.isRaw) && (isStack || Self.isIndented(line)) || isConsoleText(next, line)
    case .rustPanic:
      if RustPanic.begins(line) { return false }
      if RustPanic.continues(line) || line.isEmpty {
        takesWords = false
        return true
      }
      if takesWords, line.range(of: "', ") != nil { takesWords = RustPanic.isWhole(record.message) }
      return takesWords || line.range(of: "', src/") != nil
    case .rustError:
      return RustPanic.isFrame(line) || line.hasPrefix("Caused by:") || line.hasPrefix("Stack backtrace:")
    case .commandError: return next.marks.contains(.isRaw) && CommandError.continues(line)
    case .nativeStack: return NativeStack.continues(line)
    case .goPanic: return line.isEmpty || GoPanic.continues(line)
    case .registers: return RegisterDump.continues(line)
    case .kernel:
      let text = Self.withoutStamp(line)
      if hasEnded { return KernelReport.continuesAfterEnd(text) }
      guard KernelReport.continues(text) else { return false }
      hasEnded = KernelReport.ends(text)
      return true
    }
  }

  private func isConsoleText(_ next: borrowing Record, _ line: ByteSlice) -> Bool {
    next.source == "vmconsole" && next.name.isEmpty && Self.isIndented(line)
  }

  /// A kernel line without its timestamp, if the carrier kept that.
  static func withoutStamp(_ line: ByteSlice) -> ByteSlice {
    guard let length = KernelLine.stampLength(line) else { return line }
    let rest = line.dropFirst(length)
    return rest.hasPrefix(" ") ? rest.dropFirst(1) : rest
  }

  /// Whether a line continues the one before.
  static func isIndented(_ line: ByteSlice) -> Bool {
    if line.peek(0) == 0x09 || line.hasPrefix("  ") { return true }
    let words = line.trimmed
    return words == "}" || words == "]" || words == ")" || words == "}," || words == "],"
  }

  /// Hands out the block's record.
  mutating func close(into other: inout Record) {
    guard case .open(let kind) = state else { return }
    state = .empty
    if lineCount > 1 || !kind.needsSecondLine {
      var count = text.count
      while count > 0, text[count - 1] == 0x0a { count -= 1 }
      text.removeLast(text.count - count)
      record.message = record.arena.copy(text)
      if kind != .indented, record.marks.contains(.isRaw) {
        record.marks.remove(.isRaw)
        record.fields.remove("kata-log-parser-raw")
      }
      if kind == .registers, record.source.isEmpty {
        record.source = record.arena.copy("qemu" as StaticString)
      }
      if record.level.isEmpty, !kind.level.isEmpty {
        record.level = kind.level
        record.marks.insert(.levelIsInferred)
      }
    }
    swap(&record, &other)
  }

  /// Hands out the block's record, and keeps what followed it: `other` if that is a record.
  mutating func close(into other: inout Record, before outcome: RecordReader.Outcome) {
    close(into: &other)
    state = .waiting(outcome)
  }

  /// Hands out what followed the block.
  mutating func takeWaiting(into other: inout Record) -> RecordReader.Outcome? {
    guard case .waiting(let outcome) = state else { return nil }
    state = .empty
    switch outcome {
    case .record, .flawed: swap(&record, &other)
    case .problem, .pause, .end: break
    }
    return outcome
  }
}
