/// What the reading of an input must know.
struct InputOptions {
  var format = InputFormat.auto
  var rules = ReadingRules()
  /// The longest record in bytes.
  var recordLimit = 1 << 20
}
