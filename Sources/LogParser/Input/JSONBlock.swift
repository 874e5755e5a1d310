import Bytes
import System

/// A JSON object of several lines while they arrive: pretty-printed, or with raw line ends in its strings. In a list,
/// as printed by `kubectl get -o json`, each item is an object.
///
/// One object is limited by ``lineLimit`` and ``byteLimit``; a list may have any number of items.
struct JSONBlock: ~Copyable {
  static let lineLimit = 4096
  static let byteLimit = 1 << 20

  enum Progress {
    case goesOn
    /// The object has ended.
    case complete
    /// It is too large, or its lines are not one object.
    case broken
  }

  /// A complete object, or an item of a list.
  struct Part {
    var bytes: [UInt8]
    var line: UInt64
  }

  private(set) var isOpen = false
  private(set) var firstLine: UInt64 = 0
  /// The lines since the start, or since the item's start.
  private(set) var lines: [Part] = []
  private var bytes: [UInt8] = []
  private var openedAt: UInt64 = 0
  private var partLine: UInt64 = 0
  private var byteCount = 0
  private var closers: [UInt8] = []
  private var isInText = false
  private var isEscaped = false
  /// Where in ``bytes`` the last complete member of the outermost object ends.
  private var wholeEnd = 0
  /// Where in ``bytes`` each of ``lines`` ends.
  private var lineEnds: [Int] = []
  /// The line on which the open string began, as an index of ``lines``.
  private var textLine = 0
  /// The nesting depth of the items of a list.
  private static let itemsDepth = 2
  private(set) var isList = false
  private var isInItems = false
  private var nameStart = 0
  private var name: [UInt8] = []
  /// Complete parts that were not handed out yet.
  var parts: [Part] = []

  /// Begins a block with its first line, which may also be its last.
  mutating func open(_ line: ByteSlice, _ number: UInt64) -> Progress {
    isOpen = true
    firstLine = number
    partLine = number
    lines = []
    lineEnds = []
    bytes = []
    byteCount = 0
    closers = []
    (isInText, isEscaped) = (false, false)
    wholeEnd = 0
    (isList, isInItems) = (false, false)
    parts = []
    return add(line, number)
  }

  mutating func close() { isOpen = false }

  /// Whether the wait for a paused input has timed out.
  var isDue: Bool { MonotonicClock.nanoseconds - openedAt >= UInt64(RecordBlock.patience) * 1_000_000 }

  /// Whether a line may go on with what is open.
  func mayContinue(_ line: ByteSlice) -> Bool {
    if isInText { return !line.hasPrefix("{") && !LogfmtRecord.begins(line) }
    guard let first = line.bytes.first else { return true }
    return first <= 0x20 || first == 0x22 || first == 0x2c || first == 0x3a || first == 0x5b || first == 0x5d
      || first == 0x7b || first == 0x7d || first == 0x2d || first.isDigit || line.hasPrefix("true")
      || line.hasPrefix("false") || line.hasPrefix("null")
  }

  mutating func add(_ line: ByteSlice, _ number: UInt64) -> Progress {
    byteCount += line.count + 1
    openedAt = MonotonicClock.nanoseconds
    lines.append(Part(bytes: Array(line.bytes), line: number))
    guard lines.count <= Self.lineLimit, byteCount <= Self.byteLimit else { return .broken }
    if !bytes.isEmpty {
      // A line end within a text is part of it, which JSON must spell.
      if isInText { bytes.append(contentsOf: [0x5c, 0x6e]) } else { bytes.append(0x20) }
      isEscaped = false
    }
    for (index, byte) in line.bytes.enumerated() {
      bytes.append(byte)
      if isInText {
        addToText(byte)
      } else if let end = addStructure(byte, number) {
        guard case .complete = end else { return end }
        // Text after the brace means that the brace was part of a string.
        return isTail(line.dropFirst(index + 1)) ? .complete : .broken
      }
    }
    lineEnds.append(bytes.count)
    return .goesOn
  }

  /// Whether what stands behind an object says nothing.
  private func isTail(_ text: ByteSlice) -> Bool {
    text.bytes.allSatisfy { $0 <= 0x20 || $0 == 0x2c || $0 == 0x5d || $0 == 0x7d }
  }

  private mutating func addToText(_ byte: UInt8) {
    if isEscaped {
      isEscaped = false
    } else if byte == 0x5c {
      isEscaped = true
    } else if byte == 0x22 {
      isInText = false
      if bytes.count - 1 > nameStart { name = Array(bytes[nameStart..<(bytes.count - 1)]) }
    } else if byte < 0x20 {
      // No JSON text has a control character as it is, other writers do.
      bytes.removeLast()
      if byte == 0x09 { bytes.append(contentsOf: [0x5c, 0x74]) }
    }
  }

  private mutating func addStructure(_ byte: UInt8, _ number: UInt64) -> Progress? {
    switch byte {
    case 0x22:
      isInText = true
      textLine = lines.count - 1
      nameStart = bytes.count
    case 0x7b, 0x5b:
      guard closers.count < JSONReader.maximumDepth else { return .broken }
      if byte == 0x5b, closers.count == 1, name.elementsEqual("items".utf8) {
        isList = true
        isInItems = true
        lines = []
        lineEnds = []
      } else if isInItems, closers.count == Self.itemsDepth {
        bytes = [byte]
        byteCount = 1
        partLine = number
      }
      closers.append(byte == 0x7b ? 0x7d : 0x5d)
    case 0x7d, 0x5d:
      guard closers.last == byte else { return .broken }
      closers.removeLast()
      return finishLevel()
    case 0x2c where closers.count == 1: wholeEnd = bytes.count - 1
    default: break
    }
    return nil
  }

  private mutating func finishLevel() -> Progress? {
    if isInItems, closers.count == Self.itemsDepth {
      parts.append(Part(bytes: bytes, line: partLine))
      bytes = []
      lines = []
      lineEnds = []
      byteCount = 0
    } else if isInItems, closers.count < Self.itemsDepth {
      isInItems = false
    } else if closers.isEmpty, !isList {
      parts.append(Part(bytes: bytes, line: firstLine))
    }
    return closers.isEmpty ? .complete : nil
  }

  /// How many of ``lines`` are of an object that was cut: where a text of it did not end, those up to the one on which
  /// it began, for nothing tells that the next ones are of it; and none that could not be read to its end.
  var cutLineCount: Int { isInText ? min(textLine + 1, lineEnds.count) : lineEnds.count }

  /// What an object that was cut says: with its last text as far as it came, or with what stands behind its last whole
  /// member as a member `text`.
  func rest() -> [Part] {
    guard !isList, cutLineCount > 0 else { return [] }
    var whole = Array(bytes[..<min(lineEnds[cutLineCount - 1], bytes.count)])
    let tail = whole.dropFirst(wholeEnd + 1)
    if isEscaped, whole.last == 0x5c { whole.removeLast() }
    if isInText { whole.append(0x22) }
    whole.append(contentsOf: closers.reversed())
    guard wholeEnd > 0, wholeEnd < whole.count else { return [Part(bytes: whole, line: firstLine)] }
    var text = ByteWriter()
    text.put(json: String(decoding: tail, as: UTF8.self))
    let shorter = bytes[..<wholeEnd] + Array(",\"text\":".utf8) + text.array + [UInt8(ascii: "}")]
    return [Part(bytes: whole, line: firstLine), Part(bytes: Array(shorter), line: firstLine)]
  }
}
