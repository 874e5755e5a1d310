import Bytes

/// Memory and a cache that readers and formatters reuse from one record to the next; not part of a record's content.
struct ParserScratch: ~Copyable {
  /// The minute of the time that was read last: most records share it with the one before.
  var lastMinute = Timestamp.MinuteCache()
  /// The structure of the logfmt line that is being read.
  var index = StructuralIndex()
}
