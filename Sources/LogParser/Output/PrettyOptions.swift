/// What the user chose for the format for people, and what is known of where it goes.
package struct PrettyOptions: Sendable {
  /// The columns of the terminal, or nil where the output goes elsewhere: lines are then not wrapped.
  package var width: Int?
  /// Whether to colour.
  package var isColored = false
  /// Whether times are shown in UTC rather than in this machine's zone.
  package var isUTC = false
  /// Whether long messages and values are shown whole on a terminal, too.
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

/// Where the columns of the format for people are.
struct PrettyLayout: Sendable {
  /// The columns of a line; `Int.max` where lines are not wrapped.
  let width: Int
  /// Whether this is for a terminal: wrapped, with lines of their own for dates.
  let isTerminal: Bool
  let showsDelta: Bool
  /// Whether levels are words; else they are letters.
  let hasLongLevels: Bool
  let originWidth: Int
  /// Where the message begins unless the origin is longer than its column.
  let messageColumn: Int
  /// Where lines that go on begin.
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
    // Under the message where enough is left beside it; else further to the left, so that long texts stay short.
    indent = width - messageColumn >= 50 ? messageColumn : columns < 60 ? 2 : before
  }
}
