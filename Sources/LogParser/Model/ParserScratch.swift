import Bytes

/// What readers and formatters keep from one record to the next so as not to work it out anew: memory and a cache, no
/// part of what a record says.
struct ParserScratch: ~Copyable {
  /// The minute of the last time that was read into the record: most records share it with the one before.
  var lastMinute = Timestamp.MinuteCache()
  /// The structure of the line of logfmt that is being read.
  var index = StructuralIndex()
}
