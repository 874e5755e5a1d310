/// How an input ended.
enum InputEnd {
  case whole
  /// It had no lines.
  case empty
  /// Everything was read, with a warning.
  case warned(String)
  /// The rest could not be read.
  case failed(InputFailure)
}
