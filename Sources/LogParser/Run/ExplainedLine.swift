/// The line of `--explain`: `LINE`, or `FILE:LINE` if there are several inputs.
package struct ExplainedLine: Sendable, CustomStringConvertible {
  /// The input as the user named it; nil for the first.
  private let file: String?
  let line: UInt64

  /// Parses the option's value; nil if it is invalid.
  package init?(_ text: String) {
    let colon = text.lastIndex(of: ":")
    guard let line = UInt64(colon.map { text[text.index(after: $0)...] } ?? text[...]), line > 0 else {
      return nil
    }
    file = colon.map { String(text[..<$0]) }
    self.line = line
  }

  package var description: String { file.map { "\($0):\(line)" } ?? "\(line)" }

  /// Whether the input matches: by its name, or by the end of its path.
  func isIn(_ name: String) -> Bool {
    guard let file, file != name else { return true }
    return name.hasSuffix("/" + file)
  }
}
