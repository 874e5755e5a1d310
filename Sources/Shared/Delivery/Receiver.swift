import System

/// What a receiver says about a chunk that it has taken.
package struct Acknowledgement: Sendable, Equatable {
  /// The id of the chunk.
  package var id: String
  /// Records of the chunk that the receiver refused for good while it took the others (OTLP's partial success): they are
  /// counted and reported, and not sent again.
  package var rejected = 0
  /// The receiver's words about them, or a warning.
  package var message: String?

  package init(_ id: String, rejected: Int = 0, message: String? = nil) {
    self.id = id
    self.rejected = rejected
    self.message = message
  }
}

/// One destination of chunks: a protocol over a connection. It is made, called and released on the engine's thread.
///
/// The engine calls ``connect(until:)``, then ``send(_:until:)`` and ``acknowledgements(until:orRaised:)`` as often as it
/// likes, and ``disconnect()`` after any failure; then it connects again. All times are milliseconds of the monotonic
/// clock, by which a call must return.
///
/// A protocol of requests and answers has a ``depth`` of 1, posts in `send`, throws what refuses the chunk there, and
/// returns what was accepted from the next call of `acknowledgements`.
package protocol Receiver: AnyObject {
  /// What messages and metrics call it: its URL, without credentials.
  var name: String { get }
  /// The most chunks that are sent before an acknowledgement must have come.
  var depth: Int { get }
  /// Opens a connection, with the handshake. Where a protocol connects by itself, this does nothing.
  func connect(until deadline: Int) throws(DeliveryFailure)
  /// Sends a chunk whole. After a failure nobody knows whether it was received.
  func send(_ chunk: Chunk, until deadline: Int) throws(DeliveryFailure)
  /// Waits until acknowledgements have come, and returns all that have, in the order in which they came; none when the
  /// time is over or `wakeup` was raised before. A failure that came behind acknowledgements is thrown by the next call.
  func acknowledgements(until deadline: Int, orRaised wakeup: Wakeup?) throws(DeliveryFailure)
    -> [Acknowledgement]
  /// What it means that a chunk was not acknowledged in time. `hasAcknowledged` tells whether this receiver ever
  /// acknowledged anything.
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
      remedy: "read the receiver's log; give it more time with --ack-timeout")
  }
  package func disconnect() {}
}
