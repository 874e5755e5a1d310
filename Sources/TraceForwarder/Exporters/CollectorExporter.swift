import Bytes
import HTTP

/// Posts spans to a collector over HTTP, and finds out which of them it refuses.
///
/// A refused request (``CollectorAnswer/refused``) is halved down to single spans. A single span that is refused is a
/// suspect: the collector may as well refuse everything just now. It is set aside only when the collector is known to
/// accept requests (another one was accepted since, or, after ``refusalLimit`` refusals in a row, one without a span) and
/// then refuses this span once more. Until then its batch is not acknowledged.
///
/// A collector that refuses the empty request too is at fault itself: everything waits, and one request a pause asks
/// whether that has changed.
final class CollectorExporter: SpanExporter {
  /// A span that was refused by itself.
  private struct Suspect {
    /// A batch of this span alone.
    var batch: SpoolBatch
    var refusal: Refusal
    /// Whether the collector has accepted something since.
    var isProven = false
  }

  private struct Refusal {
    var status: Int
    var answer: String
  }

  private enum Outcome {
    case accepted
    case refused(Refusal)
  }

  /// Refusals of single spans in a row after which an empty request asks whether the collector accepts any.
  static let refusalLimit = 20
  /// Bytes of suspects beyond which no other batch is taken until they are decided.
  static let suspectBytes = 4 << 20

  private let context: ExporterContext
  private let encoder: any RequestEncoder
  private let poster: CollectorPoster
  private var body = ByteWriter(capacity: 256 << 10)

  /// The batch being sent, and which of its payloads remain; the last piece is next.
  private var current: SpoolPosition?
  private var pieces: [Range<Int>] = []
  private var suspects: [Suspect] = []
  /// Refusals of single spans since a request was last accepted.
  private var refusals = 0
  /// Whether the collector refused the empty request as well.
  private var isDoubted = false
  /// Whether the next question to a doubted collector has spans.
  private var asksWithSpans = false
  /// How often in a row an empty request alone was accepted, and whether the pause before the next one is over.
  private var emptyProofs = 0
  private var hasPaused = false
  private var leftOut = 0

  init(_ context: ExporterContext, _ encoder: any RequestEncoder, _ options: HTTPClient.Options)
    throws(ExportFailure)
  {
    self.context = context
    self.encoder = encoder
    poster = try CollectorPoster(context, options)
  }

  var isUndecided: Bool { !suspects.isEmpty }

  func takeLeftOut() -> Int {
    defer { leftOut = 0 }
    return leftOut
  }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    if current != batch.start {
      current = batch.start
      pieces = batch.payloads.isEmpty ? [] : [0..<batch.payloads.count]
    }
    try settleProven()
    while !pieces.isEmpty {
      if isDoubted { try ask(batch) }
      if refusals >= Self.refusalLimit { try askEmpty() }
      if let piece = pieces.popLast() { try deliver(piece, of: batch) }
    }
    if refusals >= Self.refusalLimit { try askEmpty() }
    if suspects.reduce(0, { $0 + $1.batch.bytes.count }) > Self.suspectBytes { try flush(mustDeliver: true) }
    current = nil
  }

  /// Sends one suspect again; a failure while any is undecided.
  func flush(mustDeliver: Bool) throws(ExportFailure) {
    try settleProven()
    if isDoubted, isUndecided { try ask(nil) }
    if refusals >= Self.refusalLimit { try askEmpty() }
    guard !suspects.isEmpty else { return }
    var suspect = suspects.removeFirst()
    let outcome: Outcome
    do throws(ExportFailure) { outcome = try send(0..<1, of: suspect.batch).outcome } catch {
      suspects.insert(suspect, at: 0)
      throw error
    }
    guard case .refused(let refusal) = outcome else { return try noteAccepted() }
    suspect.refusal = refusal
    suspects.append(suspect)
    refusals += 1
    if refusals >= Self.refusalLimit { try askEmpty() }
    if isUndecided {
      throw failure(refusal, "the collector refuses spans with \(refusal.status) and has accepted none since")
    }
  }

  // MARK: Pieces

  /// Sends the first request's worth of a piece. The rest of it, or all of it when nobody answered, is a piece again.
  private func sendHead(
    of piece: Range<Int>, of batch: SpoolBatch
  ) throws(ExportFailure) -> (request: EncodedRequest, outcome: Outcome) {
    let sent: (request: EncodedRequest, outcome: Outcome)
    do throws(ExportFailure) { sent = try send(piece, of: batch) } catch {
      pieces.append(piece)
      throw error
    }
    if sent.request.end < piece.upperBound { pieces.append(sent.request.end..<piece.upperBound) }
    return sent
  }

  /// Sends the first request's worth of a piece and keeps the rest.
  private func deliver(_ piece: Range<Int>, of batch: SpoolBatch) throws(ExportFailure) {
    let (request, outcome) = try sendHead(of: piece, of: batch)
    switch outcome {
    case .accepted:
      if request.spans > 0 { try noteAccepted() }
    case .refused(let refusal): divide(piece.lowerBound..<request.end, of: batch, refusal)
    }
  }

  /// Halves what was refused; a single span becomes a suspect.
  private func divide(_ sent: Range<Int>, of batch: SpoolBatch, _ refusal: Refusal) {
    if sent.count > 1 {
      let middle = sent.lowerBound + sent.count / 2
      pieces += [middle..<sent.upperBound, sent.lowerBound..<middle]
    } else {
      suspects.append(Suspect(batch: batch.alone(sent.lowerBound), refusal: refusal))
      refusals += 1
    }
  }

  /// Posts a request. Records in it that are not spans are counted once the rest is accepted.
  private func send(_ payloads: Range<Int>, of batch: SpoolBatch) throws(ExportFailure)
    -> (request: EncodedRequest, outcome: Outcome)
  {
    let request = encoder.encode(payloads, of: batch, to: &body)
    let outcome = request.spans > 0 ? try post(request.spans) : .accepted
    if case .accepted = outcome { context.countUnreadable(request.unreadable) }
    return (request, outcome)
  }

  private func post(_ spans: Int) throws(ExportFailure) -> Outcome {
    let answer = try poster.post(body.bytes, type: encoder.contentType)
    guard CollectorAnswer(answer) == .accepted else {
      return .refused(Refusal(status: answer.status, answer: poster.text(of: answer)))
    }
    if let (count, message) = encoder.rejected(answer.body) {
      let rejected = max(0, min(count, spans))
      let fields = [("exporter", context.name), ("answer", poster.redacted(message))]
      context.metrics.add(context.isOfLogs ? .logsRefused : .refused, context.name, rejected)
      context.losses.add(.partialSuccess, rejected, fields)
      if rejected == 0 {
        context.log.limited(.warning, by: context.name, "the collector accepted spans with a warning", fields)
      }
    }
    return .accepted
  }

  // MARK: Suspects

  /// The collector accepts requests: suspects are tried once more, and now it is their own fault.
  private func noteAccepted() throws(ExportFailure) {
    refusals = 0
    emptyProofs = 0
    hasPaused = false
    isDoubted = false
    for index in suspects.indices { suspects[index].isProven = true }
    try settleProven()
  }

  private func settleProven() throws(ExportFailure) {
    while let suspect = suspects.first, suspect.isProven {
      if case .refused(let refusal) = try send(0..<1, of: suspect.batch).outcome {
        try setAside(suspect.batch, refusal)
      }
      suspects.removeFirst()
    }
  }

  private func setAside(_ span: SpoolBatch, _ refusal: Refusal) throws(ExportFailure) {
    try context.setAside(span, status: refusal.status, reason: refusal.answer)
    leftOut += 1
  }

  /// Asks whether the collector accepts a request without a span.
  private func askEmpty() throws(ExportFailure) {
    let status = suspects.last?.refusal.status ?? 400
    if emptyProofs > 0, !hasPaused {
      // It may be the collector's fault after all, so its refusals do not empty the spool at full speed.
      hasPaused = true
      throw ExportFailure(
        "the collector refuses every span with \(status), but accepts a request without spans",
        remedy: CollectorAnswer.remedy(status), answer: suspects.last?.refusal.answer)
    }
    hasPaused = false
    if try isEmptyAccepted() {
      refusals = 0
      emptyProofs += 1
      for index in suspects.indices { suspects[index].isProven = true }
      return try settleProven()
    }
    refusals = 0
    isDoubted = true
    asksWithSpans = true
    throw refusesEverything(status)
  }

  private func isEmptyAccepted() throws(ExportFailure) -> Bool {
    encoder.encodeEmpty(to: &body)
    if case .accepted = try post(0) { return true }
    return false
  }

  /// One request to a collector that refused everything, by turns without and with spans: some refuse empty requests
  /// alone. Returns when it accepted.
  private func ask(_ batch: SpoolBatch?) throws(ExportFailure) {
    defer { asksWithSpans.toggle() }
    guard asksWithSpans else {
      guard try isEmptyAccepted() else { throw refusesEverything(suspects.last?.refusal.status ?? 400) }
      // That says nothing of the suspects: they were refused when everything was.
      isDoubted = false
      return
    }
    if let batch, !pieces.isEmpty {
      if try askWithPiece(of: batch) { return }
    } else if let suspect = suspects.first {
      if case .accepted = try send(0..<1, of: suspect.batch).outcome {
        suspects.removeFirst()
        return try noteAccepted()
      }
      suspects.append(suspects.removeFirst())
    }
    throw refusesEverything(suspects.last?.refusal.status ?? 400)
  }

  /// Sends the piece that waits longest, so that it is another one each time and one bad span does not answer for all;
  /// whether it was accepted.
  private func askWithPiece(of batch: SpoolBatch) throws(ExportFailure) -> Bool {
    let piece = pieces.removeFirst()
    let (request, outcome) = try sendHead(of: piece, of: batch)
    guard case .refused(let refusal) = outcome else {
      if request.spans > 0 { try noteAccepted() }
      return true
    }
    divide(piece.lowerBound..<request.end, of: batch, refusal)
    return false
  }

  private func refusesEverything(_ status: Int) -> ExportFailure {
    failure(
      suspects.last?.refusal ?? Refusal(status: status, answer: ""),
      "the collector refuses every request with \(status), also one without spans")
  }

  private func failure(_ refusal: Refusal, _ reason: String) -> ExportFailure {
    ExportFailure(reason, remedy: CollectorAnswer.remedy(refusal.status), answer: refusal.answer)
  }
}
