import System

/// What a receiver says about a chunk that it has accepted.
package struct Acknowledgement: Sendable, Equatable {
  /// The id of the chunk.
  package var id: String
  /// Records of the chunk that the receiver rejected for good while it accepted the others (OTLP's partial success).
  /// They are counted and reported, and not sent again.
  package var rejected = 0
  /// The receiver's message about them, or a warning.
  package var message: String?

  package init(_ id: String, rejected: Int = 0, message: String? = nil) {
    self.id = id
    self.rejected = rejected
    self.message = message
  }
}

/// A destination of chunks: a protocol over a connection. It is created, called and released on the engine's thread.
///
/// The engine calls ``connect(until:)``, then ``send(_:until:)`` and ``acknowledgements(until:orRaised:)`` as often as
/// it needs, and ``disconnect()`` after any failure; then it connects again. All times are milliseconds of the
/// monotonic clock, by which a call must return.
///
/// A protocol of requests and answers has a ``depth`` of 1 and posts in `send`, which throws if the chunk is refused.
/// What was accepted is returned by the next call of `acknowledgements`.
package protocol Receiver: AnyObject {
  /// Its name in messages and metrics: its URL, without credentials.
  var name: String { get }
  /// The most chunks that may be sent before one is acknowledged.
  var depth: Int { get }
  /// Opens a connection, including the handshake. Does nothing if the protocol connects by itself.
  func connect(until deadline: Int) throws(DeliveryFailure)
  /// Sends a whole chunk. After a failure it is unknown whether the chunk was received.
  func send(_ chunk: Chunk, until deadline: Int) throws(DeliveryFailure)
  /// Waits for acknowledgements and returns all that have arrived, in order of arrival; none if the time is over or
  /// `wakeup` was raised first. A failure that follows acknowledgements is thrown by the next call.
  func acknowledgements(until deadline: Int, orRaised wakeup: Wakeup?) throws(DeliveryFailure)
    -> [Acknowledgement]
  /// The failure to report if a chunk was not acknowledged in time. `hasAcknowledged` says whether this receiver has
  /// ever acknowledged anything.
  func silence(of milliseconds: Int, hasAcknowledged: Bool) -> DeliveryFailure
  /// Closes the connection, if there is one.
  func disconnect()
}

extension Receiver {
  package var depth: Int { 1 }
  package func connect(until deadline: Int) throws(DeliveryFailure) {}
  package func silence(of milliseconds: Int, hasAcknowledged: Bool) -> DeliveryFailure {
    DeliveryFailure(
      .unanswered, "\(name) acknowledged nothing within \(milliseconds / 1000) s",
      remedy: "read the receiver's log, or raise --ack-timeout")
  }
  package func disconnect() {}
}
