/// Why a chunk was not delivered. It stays in the window and is sent again.
package struct DeliveryFailure: Error, Sendable, Equatable {
  /// What the failure says about the chunk and the receiver, which decides on what happens next.
  package enum Kind: Sendable, Equatable {
    /// The receiver cannot be reached, or is busy: the same bytes are sent again after a pause, and no chunk is blamed.
    case unavailable
    /// A chunk was sent, and the receiver closed the connection or did not answer in time. The same bytes are sent again
    /// after a pause; a chunk to which that happens again and again is halved, and a single record is set aside when the
    /// receiver acknowledges others meanwhile.
    case unanswered
    /// The receiver refuses the chunk for its content: it is halved at once. A single refused record is set aside when
    /// the receiver has accepted another chunk since and refuses the record once more.
    case refused
    /// The receiver refuses the chunk for its size: as ``refused``.
    case tooLarge
    /// A person must mend something: a key, a password, a URL. Tried again at the slowest pace, and no chunk is blamed.
    case misconfigured
    /// Trying again cannot help: the run ends with this failure.
    case hopeless
  }

  package var kind: Kind
  /// What went wrong, with the receiver's name; lower case.
  package var reason: String
  /// What an operator can do about it.
  package var remedy: String?
  /// What the receiver said, which may differ from attempt to attempt.
  package var answer: String?
  /// Milliseconds to wait, where the receiver asked for that.
  package var retryAfter: Int?

  package init(
    _ kind: Kind, _ reason: String, remedy: String? = nil, answer: String? = nil, retryAfter: Int? = nil
  ) {
    self.kind = kind
    self.reason = reason
    self.remedy = remedy
    self.answer = answer
    self.retryAfter = retryAfter
  }
}
