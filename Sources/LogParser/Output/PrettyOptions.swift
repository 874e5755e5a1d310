/// The user's options for `pretty`, and properties of its destination.
package struct PrettyOptions: Sendable {
  /// The width of the terminal, or nil for other output, whose lines are not wrapped.
  package var width: Int?
  /// Whether to colour.
  package var isColored = false
  /// Whether times are in UTC instead of this machine's zone.
  package var isUTC = false
  /// Whether long messages and values are shown in full on a terminal, too.
  package var isFull = false
  /// Fields to show that are hidden by default; `all` means each.
  package var shown: [String] = []
  /// Fields to hide; `all` means each.
  package var hidden: [String] = []

  package init(width: Int? = nil, isColored: Bool = false) {
    self.width = width
    self.isColored = isColored
  }
}

/// The column layout of `pretty`.
struct PrettyLayout: Sendable {
  /// The width of a line; `Int.max` if lines are not wrapped.
  let width: Int
  /// Whether the output is for a terminal: wrapped, with separate lines for dates.
  let isTerminal: Bool
  let showsDelta: Bool
  /// Whether levels are words; otherwise they are letters.
  let hasLongLevels: Bool
  let originWidth: Int
  /// The column where messages begin, unless the origin is longer than its column.
  let messageColumn: Int
  /// The column where continuation lines begin.
  let indent: Int

  private static let pipedTime = 24
  private static let terminalTime = 12
  private static let delta = 10

  init(_ options: PrettyOptions) {
    guard let columns = options.width else {
      width = .max
      isTerminal = false
      showsDelta = !options.hidden.contains("delta")
      hasLongLevels = true
      originWidth = 28
      messageColumn = Self.pipedTime + (showsDelta ? Self.delta : 0) + 7 + originWidth + 1
      indent = messageColumn
      return
    }
    width = max(columns, 20)
    isTerminal = true
    showsDelta = columns >= 110 && !options.hidden.contains("delta") || options.shown.contains("delta")
    hasLongLevels = columns >= 100
    originWidth =
      switch columns {
      case ..<60: 0
      case ..<100: 20
      case ..<140: 26
      case ..<160: 32
      default: 38
      }
    let before = Self.terminalTime + (showsDelta ? Self.delta : 0) + (hasLongLevels ? 7 : 3)
    messageColumn = before + originWidth + 1
    // Under the message if enough width is left; otherwise further left, so that long texts take fewer lines.
    indent = width - messageColumn >= 50 ? messageColumn : columns < 60 ? 2 : before
  }
}
