import Bytes

/// When a record was written and when it was observed, in nanoseconds since 1970: the two times of OTLP.
struct OTLPTimes {
  /// The record's own time; nil if it has none. A guest's record has the time of the guest's clock.
  private(set) var own: UInt64?
  /// The time at which a carrier received the record: the journal, or the runtime that reads the guest's console.
  private(set) var observed: UInt64?
  /// Whether the record has a time that OTLP cannot express.
  private(set) var isBeyondRange = false

  @inline(__always)
  init(_ record: borrowing Record, _ fields: OTLPFields) {
    if fields.guestTime >= 0 {
      own = Self.nanoseconds(fields.ownTime)
      observed = Self.nanoseconds(record.observed) ?? Self.nanoseconds(record.time)
      return
    }
    observed = Self.nanoseconds(record.observed)
    let time = Self.nanoseconds(record.time)
    // A time taken from a neighbouring record says roughly when the record arrived, not when it was written.
    if record.marks.contains(.timeIsInherited) {
      observed = observed ?? time
    } else if record.time != record.observed {
      own = time
      isBeyondRange = time == nil && !record.time.isUnset
    }
  }

  /// Nil before 1970, after 2554, and without a time.
  @inline(__always)
  static func nanoseconds(_ time: Timestamp) -> UInt64? {
    guard let seconds = UInt64(exactly: time.seconds), seconds < 18_446_744_073 else { return nil }
    let value = seconds * 1_000_000_000 + UInt64(time.nanoseconds)
    return value > 0 ? value : nil
  }
}
