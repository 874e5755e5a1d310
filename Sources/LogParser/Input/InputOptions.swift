/// Options for reading an input.
struct InputOptions {
  var format = InputFormat.auto
  var rules = ReadingRules()
  /// The maximum size of a record in bytes.
  var recordLimit = 1 << 20
}
