import Bytes

/// The text of one record on as many lines as it needs, with visible control characters.
struct PrettyLine {
  private let width: Int
  private let indent: Int
  private let isColored: Bool
  /// The column of the next character.
  var column: Int
  /// The number of lines that may still be added.
  var rowsLeft = Int.max
  private var color: StaticString = ""

  /// A line whose wrapped text continues after `indent` blanks; if 0, a line end is treated as any control character.
  init(width: Int, indent: Int, column: Int, isColored: Bool) {
    self.width = width
    self.indent = indent
    self.isColored = isColored
    self.column = column
  }

  @inline(__always)
  mutating func color(_ sequence: StaticString, _ out: inout OutputBuffer) {
    guard isColored, sequence.utf8CodeUnitCount > 0 else { return }
    color = sequence
    out.append(sequence)
  }

  @inline(__always)
  mutating func reset(_ out: inout OutputBuffer) {
    guard isColored, color.utf8CodeUnitCount > 0 else { return }
    color = ""
    out.append("\u{1b}[0m")
  }

  /// Separates two pieces with two spaces, or with a new line if the next piece does not fit.
  @inline(__always)
  mutating func space(_ count: Int, _ out: inout OutputBuffer) {
    if width != .max, column + 2 + count > width, column > indent { return newLine(&out) }
    out.append("  ")
    column += 2
  }

  /// - Parameter isBlank: whether another line end follows, so that no blanks are needed.
  @inline(never)
  mutating func newLine(_ out: inout OutputBuffer, isBlank: Bool = false) {
    if color.utf8CodeUnitCount > 0 { out.append("\u{1b}[0m") }
    out.append(UInt8(ascii: "\n"))
    if !isBlank { for _ in 0..<indent { out.append(UInt8(ascii: " ")) } }
    column = indent
    rowsLeft -= 1
    if color.utf8CodeUnitCount > 0 { out.append(color) }
  }

  /// Writes a short word, which is not split.
  @inline(__always)
  mutating func put(_ word: StaticString, _ out: inout OutputBuffer) {
    out.append(word)
    column += word.utf8CodeUnitCount
  }

  /// Writes an ellipsis for the rest of a value.
  mutating func putEllipsis(_ out: inout OutputBuffer) {
    if column >= width { newLine(&out) }
    out.append("…")
    column += 1
  }

  /// Writes as much of a text as fits on the remaining lines, and returns its number of bytes.
  @inline(__always)
  @discardableResult
  mutating func put(_ text: ByteSlice, _ out: inout OutputBuffer) -> Int {
    if text.isPlain, width == .max || column + text.count <= width {
      out.append(text)
      column += text.count
      return text.count
    }
    return width == .max ? putUnwrapped(text, &out) : putWrapped(text, &out)
  }

  private mutating func putUnwrapped(_ text: ByteSlice, _ out: inout OutputBuffer) -> Int {
    var index = 0
    while true {
      let run = text.printablePrefix(from: index, includingPercent: true)
      if run > 0 {
        out.append(text.part(index, index + run, isPlain: false))
        column += run
        index += run
      }
      if index >= text.count { return index }
      if text[index] == UInt8(ascii: "\n"), indent > 0 {
        index += 1
        newLine(&out, isBlank: index < text.count && text[index] == UInt8(ascii: "\n"))
      } else {
        let unit = Unit(text, at: index)
        put(unit, text, at: index, &out)
        index += unit.length
      }
    }
  }

  /// Writes word by word: one that does not fit begins the next line; one longer than a line is split at the line's
  /// end.
  private mutating func putWrapped(_ text: ByteSlice, _ out: inout OutputBuffer) -> Int {
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "\n") {
        // Trailing blank lines are dropped.
        if text.slice(index, text.count).firstVisible == nil { return text.count }
        if rowsLeft <= 0 { return index }
        index += 1
        newLine(&out, isBlank: index < text.count && text[index] == UInt8(ascii: "\n"))
        continue
      }
      let blanks = Self.blanks(text, from: index)
      let word = measure(text, from: index + blanks)
      if column + blanks + word.columns > width, column > indent,
        word.columns <= width - indent || column + blanks >= width
      {
        if rowsLeft <= 0 { return index }
        newLine(&out)
        index += blanks
      } else {
        let shown = min(blanks, width)
        for _ in 0..<shown { out.append(UInt8(ascii: " ")) }
        column += shown
        index += blanks
      }
      while index < word.end {
        let unit = Unit(text, at: index)
        if column + unit.columns > width, column > indent {
          if rowsLeft <= 0 { return index }
          newLine(&out)
        }
        put(unit, text, at: index, &out)
        index += unit.length
      }
    }
    return index
  }

  private static func blanks(_ text: ByteSlice, from start: Int) -> Int {
    var index = start
    while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
    return index - start
  }

  /// The end and width of the word at `start`, or of its first part if it is longer than a line.
  private func measure(_ text: ByteSlice, from start: Int) -> (end: Int, columns: Int) {
    var index = start
    var columns = 0
    while index < text.count, columns <= width {
      let byte = text[index]
      if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") { break }
      let unit = Unit(text, at: index)
      columns += unit.columns
      index += unit.length
    }
    return (index, columns)
  }

  private mutating func put(_ unit: Unit, _ text: ByteSlice, at index: Int, _ out: inout OutputBuffer) {
    column += unit.columns
    switch unit.form {
    case .shown: out.append(text.part(index, index + unit.length, isPlain: false))
    case .blank: out.append(UInt8(ascii: " "))
    case .nothing: break
    case .escape(let escape): out.append(string: escape)
    }
  }

  /// The width of a text on one line.
  static func columns(_ text: ByteSlice) -> Int {
    if text.isPlain { return text.count }
    var index = 0
    var columns = 0
    while index < text.count {
      let unit = Unit(text, at: index)
      columns += unit.columns
      index += unit.length
    }
    return columns
  }
}

/// A character of a text, or a byte that is part of none, and how it is written.
private struct Unit {
  enum Form {
    case shown, blank, nothing
    case escape(String)
  }

  let length: Int
  let columns: Int
  let form: Form

  @inline(__always)
  init(_ text: ByteSlice, at index: Int) {
    let byte = text[index]
    if (0x20..<0x7f).contains(byte) {
      self.init(length: 1, columns: 1, form: .shown)
    } else {
      self.init(special: text, at: index)
    }
  }

  @inline(never)
  private init(special text: ByteSlice, at index: Int) {
    let byte = text[index]
    if byte == UInt8(ascii: "\t") {
      self.init(length: 1, columns: 1, form: .blank)
    } else if byte == UInt8(ascii: "\r"), index + 1 == text.count || text[index + 1] == UInt8(ascii: "\n") {
      self.init(length: 1, columns: 0, form: .nothing)
    } else {
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if let scalar, TerminalText.isShown(scalar) {
        self.init(length: length, columns: DisplayWidth.columns(scalar), form: .shown)
      } else {
        let escape = scalar.map { TerminalText.escape($0) } ?? TerminalText.escape(byte: byte)
        self.init(length: length, columns: escape.utf8.count, form: .escape(escape))
      }
    }
  }

  private init(length: Int, columns: Int, form: Form) {
    self.length = length
    self.columns = columns
    self.form = form
  }
}
