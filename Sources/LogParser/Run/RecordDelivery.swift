import Bytes
import Delivery
import Logging
import System

/// The delivery of a run's records, used from the run's thread: takes what the formatter wrote, and reports the result.
final class RecordDelivery {
  private let engine: DeliveryEngine
  private let timeout: Int
  /// Readable when the user wants the run to end.
  var stop: Int32?
  /// Whether the run, at its end, waits for acknowledgements only as long as the timeout.
  var isLimited = false
  /// Whether the user ended the run while the window was full.
  private(set) var wasStopped = false
  private var result: Bool?

  /// Starts the delivery.
  ///
  /// - Parameter receivers: makes the receivers on the engine's thread.
  init(
    _ options: DeliveryOptions, cursorFile: String?, report: @escaping @Sendable (DeliveryEvent) -> Void,
    receivers: @escaping @Sendable (StopDeadline) throws(DeliveryFailure) -> [any Receiver]
  ) throws(SystemCallError) {
    timeout = options.engine.acknowledgementTimeout
    engine = try DeliveryEngine(
      DeliveryEngine.Parts(
        settings: options.engine, positions: cursorFile.map { CursorFile(path: $0) },
        setAside: options.setAsideFile.map { SetAsideFile(path: $0) }, report: report, receivers: receivers))
    try engine.start()
  }

  var statistics: DeliveryStatistics { engine.statistics }
  var failure: DeliveryFailure? { engine.failure }

  /// Takes entries, each preceded by its length; false if the delivery is over or the user ended the run.
  func append(_ entries: UnsafeRawBufferPointer) -> Bool {
    if engine.append(framed: entries, orStop: stop) { return true }
    wasStopped = engine.failure == nil
    return false
  }

  /// Notes the journal position after all records so far.
  func mark(_ place: String) { engine.mark(place) }

  /// Waits until everything is acknowledged; returns whether it is.
  func finish() -> Bool {
    if let result { return result }
    let time = isLimited ? MonotonicClock.milliseconds + timeout : nil
    let isComplete = engine.finish(by: time, orStop: stop) && !wasStopped
    result = isComplete
    return isComplete
  }
}

extension CursorFile: PositionStore {
  package func save(_ position: String) throws(SystemCallError) { try write(position) }
}
