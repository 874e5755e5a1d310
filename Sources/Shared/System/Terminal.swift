import Glibc

/// Properties of the terminal that a descriptor may refer to.
package struct Terminal {
  private let number: Int32

  package init(_ number: Int32) { self.number = number }

  package var isTerminal: Bool { isatty(number) == 1 }

  /// Whether the user wants colours there: https://no-color.org, and no terminal that calls itself dumb.
  package var showsColors: Bool {
    if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
    guard let kind = getenv("TERM") else { return false }
    return strcmp(kind, "dumb") != 0
  }

  /// Whether it can only print, or its type is unknown.
  package var isDumb: Bool {
    guard let kind = getenv("TERM"), kind.pointee != 0 else { return true }
    return strcmp(kind, "dumb") == 0
  }

  /// The number of columns, from COLUMNS or from the terminal itself; nil if neither is known.
  package var width: Int? {
    if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0, columns <= 10_000
    {
      return columns
    }
    var size = winsize()
    guard ioctl(number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
