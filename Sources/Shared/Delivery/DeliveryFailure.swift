/// Why a chunk was not delivered. It stays in the window and is sent again.
package struct DeliveryFailure: Error, Sendable, Equatable {
  /// What the failure says about the chunk and the receiver; this determines what happens next.
  package enum Kind: Sendable, Equatable {
    /// The receiver cannot be reached, or is busy: the same bytes are sent again after a pause, and no chunk is blamed.
    case unavailable
    /// A chunk was sent, and the receiver closed the connection or did not answer in time. The same bytes are sent
    /// again after a pause. A chunk that fails this way repeatedly is halved; a single record is set aside if the
    /// receiver acknowledges others in the meantime.
    case unanswered
    /// The receiver refuses the chunk because of its content: it is halved at once. A single refused record is set
    /// aside if the receiver has accepted another chunk since and refuses the record again.
    case refused
    /// The receiver refuses the chunk because of its size: handled like ``refused``.
    case tooLarge
    /// A person must correct something: a key, a password, a URL. Retried at the slowest pace, and no chunk is blamed.
    case misconfigured
    /// Retrying cannot help: the run ends with this failure.
    case hopeless
  }

  package var kind: Kind
  /// What went wrong, with the receiver's name, in lower case.
  package var reason: String
  /// What an operator can do about it.
  package var remedy: String?
  /// The receiver's own words, which may differ from attempt to attempt.
  package var answer: String?
  /// Milliseconds to wait, if the receiver asked for a pause.
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
