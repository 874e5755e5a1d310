/// How an input ended.
enum InputEnd {
  case whole
  /// There was not one line in it.
  case empty
  /// Everything was read; something about it is worth a warning.
  case warned(String)
  /// The rest could not be read.
  case failed(InputFailure)
}
