/// Counts of a delivery since its start, and its current state.
package struct DeliveryStatistics: Sendable, Equatable {
  /// Chunks, records and bytes sent; each is counted every time it is sent.
  package var sentChunks: UInt64 = 0
  package var sentRecords: UInt64 = 0
  package var sentBytes: UInt64 = 0
  /// The chunks among these that had been sent before.
  package var resentChunks: UInt64 = 0
  package var acknowledgedChunks: UInt64 = 0
  package var acknowledgedRecords: UInt64 = 0
  /// Chunks that were halved because they were not acknowledged.
  package var halvedChunks: UInt64 = 0
  /// Records that no receiver accepted and that were written to the set-aside file.
  package var setAsideRecords: UInt64 = 0
  /// Records that the receiver rejected although it accepted their chunk.
  package var rejectedRecords: UInt64 = 0
  package var connections: UInt64 = 0
  package var failures: UInt64 = 0
  /// Records and bytes that wait for an acknowledgement.
  package var waitingRecords = 0
  package var waitingBytes = 0
  /// The connected receiver.
  package var receiver: String?
  /// Why nothing is acknowledged at present, and since when, in milliseconds of the delivery's clock.
  package var failing: Failing?

  package struct Failing: Sendable, Equatable {
    package var since: Int
    package var failure: DeliveryFailure
  }

  package init() {}
}

/// Something that an operator should be told.
package enum DeliveryEvent: Sendable {
  /// Nothing is acknowledged any more, or the reason has changed.
  case failing(receiver: String, DeliveryFailure)
  /// A receiver acknowledges again.
  case recovered(receiver: String)
  /// A different receiver is used now.
  case switched(receiver: String)
  /// A record was set aside.
  case setAside(receiver: String, size: Int, reason: String)
  /// A record cannot be set aside, and the position cannot advance.
  case cannotSetAside(String)
  /// Records were rejected; if the number is 0, the chunk was accepted with a warning.
  case rejected(receiver: String, records: Int, message: String)
  /// The position cannot be saved: after a restart, acknowledged records are sent again.
  case cannotSavePosition(String)
}
