/// How a wait for more of an input ended.
enum InputWait {
  /// It is time to look again.
  case mayHaveMore
  /// The user has ended the run.
  case stopped
  /// No more can come.
  case end
}
