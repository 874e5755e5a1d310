/// Counts of a delivery since its start, and how it goes now.
package struct DeliveryStatistics: Sendable, Equatable {
  /// Chunks, records and bytes that were sent, each as often as it was.
  package var sentChunks: UInt64 = 0
  package var sentRecords: UInt64 = 0
  package var sentBytes: UInt64 = 0
  /// Of these chunks, the ones that had been sent before.
  package var resentChunks: UInt64 = 0
  package var acknowledgedChunks: UInt64 = 0
  package var acknowledgedRecords: UInt64 = 0
  /// Chunks that were divided because they were not acknowledged.
  package var halvedChunks: UInt64 = 0
  /// Records that were put into the file for what the receiver does not take.
  package var setAsideRecords: UInt64 = 0
  /// Records that the receiver refused although it took their chunk.
  package var rejectedRecords: UInt64 = 0
  package var connections: UInt64 = 0
  package var failures: UInt64 = 0
  /// Records and bytes that wait for an acknowledgement.
  package var waitingRecords = 0
  package var waitingBytes = 0
  /// The receiver that is connected.
  package var receiver: String?
  /// Why nothing is acknowledged at present, and since when, in milliseconds of the delivery's clock.
  package var failing: Failing?

  package struct Failing: Sendable, Equatable {
    package var since: Int
    package var failure: DeliveryFailure
  }

  package init() {}
}

/// Something that an operator should be told of.
package enum DeliveryEvent: Sendable {
  /// Nothing is acknowledged any more, or for another reason than before.
  case failing(receiver: String, DeliveryFailure)
  /// A receiver acknowledges again.
  case recovered(receiver: String)
  /// Another receiver than before is used.
  case switched(receiver: String)
  /// A record was set aside.
  case setAside(receiver: String, size: Int, reason: String)
  /// A record cannot be set aside, and holds the position.
  case cannotSetAside(String)
  /// Records were rejected, or accepted with a warning if there are none.
  case rejected(receiver: String, records: Int, message: String)
  /// The position cannot be saved: what is acknowledged comes again after a restart.
  case cannotSavePosition(String)
}
