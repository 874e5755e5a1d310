import Delivery
import Logging
import System

extension Run {
  /// Delivers the records that a formatter writes, each preceded by its length, and reports the result.
  func deliver<F: RecordFormatter>(_ formatter: F, _ inputs: InputList, _ plan: Plan) throws(Failure) {
    guard let settings = options.delivery else { return }
    let isQuiet = options.isQuiet
    let delivery = try attempt { () throws(SystemCallError) in
      try RecordDelivery(
        settings, cursorFile: options.journal?.cursorFile,
        report: { Self.report($0, isQuiet: isQuiet) },
        receivers: { (stop) throws(DeliveryFailure) in try settings.receivers(stop) })
    }
    self.delivery = delivery
    do throws(Failure) {
      try render(formatter, inputs, plan)
    } catch {
      // What was accepted before the run failed is still delivered.
      _ = delivery.finish()
      note(delivery)
      throw error
    }
    note(delivery)
    if let failure = delivery.failure { throw .message(Self.text(failure)) }
    guard !delivery.finish() else { return }
    let count = delivery.statistics.waitingRecords
    let words = count == 1 ? "1 record was not acknowledged" : "\(count) records were not acknowledged"
    // The position in the cursor file is before them: the next run reads them again.
    guard options.journal?.cursorFile == nil else {
      return diagnostics.warning("\(words); the next run sends them")
    }
    throw .message(words)
  }

  private func note(_ delivery: RecordDelivery) {
    deliveryStatistics = delivery.statistics
  }

  /// Reports an event, on the delivery's thread.
  private static func report(_ event: DeliveryEvent, isQuiet: Bool) {
    let diagnostics = Diagnostics("kata-log-parser")
    diagnostics.isQuiet = isQuiet
    switch event {
    case .failing(_, let failure):
      if failure.kind != .hopeless { diagnostics.warning("records are waiting: \(text(failure))") }
    case .recovered(let name): diagnostics.warning("\(name) acknowledges again")
    case .switched(let name): diagnostics.warning("records now go to \(name)")
    case .setAside(let name, let size, let reason):
      let place = name.isEmpty ? "" : " by \(name)"
      diagnostics.error("a record of \(size) bytes was not accepted\(place) and is set aside: \(reason)")
    case .cannotSetAside(let reason): diagnostics.error("a record cannot be set aside: \(reason)")
    case .rejected(let name, let count, let message):
      diagnostics.error("\(name) rejected \(count) records: \(message)")
    case .cannotSavePosition(let reason):
      diagnostics.error("the cursor cannot be saved, so the next run will send records again: \(reason)")
    }
  }

  private static func text(_ failure: DeliveryFailure) -> String {
    let answer = failure.answer.map { " (it says: \($0))" } ?? ""
    let remedy = failure.remedy.map { "; \($0)" } ?? ""
    return "\(failure.reason)\(answer)\(remedy)"
  }
}
