import Delivery
import Logging

/// Writes the events of a delivery to the service's log.
enum ShipReport {
  static func write(_ event: DeliveryEvent, to log: StructuredLog) {
    switch event {
    case .failing(let receiver, let failure):
      log.warning(
        "records wait: the receiver acknowledges nothing",
        fields(receiver, failure.reason, failure.remedy, failure.answer))
    case .recovered(let receiver): log.info("the receiver acknowledges again", ["receiver": receiver])
    case .switched(let receiver): log.warning("records now go to another receiver", ["receiver": receiver])
    case .setAside(let receiver, let size, let reason):
      log.error(
        "a record that the receiver does not accept was set aside",
        ["receiver": receiver, "bytes": String(size), "reason": reason])
    case .cannotSetAside(let reason):
      log.error("a record cannot be set aside, so the position does not advance", ["reason": reason])
    case .rejected(let receiver, let records, let message):
      log.error(
        "the receiver rejected records",
        ["receiver": receiver, "records": String(records), "answer": message])
    case .cannotSavePosition(let reason):
      log.error(
        "the position cannot be saved: after a restart, records will be sent again", ["reason": reason])
    }
  }

  private static func fields(_ receiver: String, _ reason: String, _ remedy: String?, _ answer: String?) -> [(
    String, String
  )] {
    var fields = [("receiver", receiver), ("reason", reason)]
    if let answer, !answer.isEmpty { fields.append(("answer", answer)) }
    if let remedy { fields.append(("remedy", remedy)) }
    return fields
  }
}
