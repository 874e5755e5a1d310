/// How a wait for more of an input ended.
enum InputWait {
  /// The input should be read again.
  case mayHaveMore
  /// The user has ended the run.
  case stopped
  /// Nothing more can arrive.
  case end
}
