import HTTP
import System

/// The counters of a shipper, read by the thread that serves `/metrics`.
final class ShipCounters: Sendable {
  /// A counter that only grows, with its name in the metrics.
  enum Counter: String, CaseIterable, Sendable {
    case read = "kata_ship_records_read_total"
    case unreadable = "kata_ship_entries_unreadable_total"
    case suppressed = "kata_ship_messages_suppressed_by_journald_total"
    case failures = "kata_ship_input_failures_total"
    case gaps = "kata_ship_journal_gaps_total"
    case redacted = "kata_ship_values_redacted_total"

    var help: String {
      switch self {
      case .read: "Records that were read."
      case .unreadable: "Journal entries that could not be read."
      case .suppressed: "Messages that journald reports as suppressed."
      case .failures: "Parts of inputs that could not be read."
      case .gaps: "Times that entries of the journal were gone before they were read, or damaged."
      case .redacted: "Values that were removed from records because they look like secrets."
      }
    }
  }

  private struct State {
    var counts: [Counter: UInt64] = [:]
    var files = ShippedFiles.Counts()
    var droppedRecords: UInt64 = 0
    var droppedBytes: UInt64 = 0
  }

  private let state = Lock(State())

  func add(_ counter: Counter, _ count: UInt64 = 1) {
    state.withLock { $0.counts[counter, default: 0] += count }
  }

  /// Updates the counts of the files and the quota.
  func note(_ files: ShippedFiles.Counts, _ quota: SandboxQuota) {
    state.withLock {
      $0.files = files
      $0.droppedRecords = quota.droppedRecords
      $0.droppedBytes = quota.droppedBytes
    }
  }

  /// Records dropped because a sandbox was over its quota, plus files that were gone before they were read completely.
  var losses: UInt64 { state.withLock { $0.droppedRecords + $0.files.gone } }

  /// Adds all metrics.
  func write(to text: inout MetricsText) {
    let state = state.withLock { $0 }
    for counter in Counter.allCases {
      text.add(counter.rawValue, .counter, counter.help, state.counts[counter] ?? 0)
    }
    text.add(
      "kata_ship_records_over_quota_total", .counter,
      "Records that were dropped because their sandbox was over its quota.", state.droppedRecords)
    text.add(
      "kata_ship_bytes_over_quota_total", .counter, "Bytes of the records that were dropped over quota.",
      state.droppedBytes)
    text.add("kata_ship_files_open", .gauge, "Files that are followed.", UInt64(state.files.open))
    text.add(
      "kata_ship_files_waiting", .gauge, "Files that are not followed because too many are open.",
      UInt64(state.files.waiting))
    text.add(
      "kata_ship_file_truncations_total", .counter, "Truncations of followed files.",
      state.files.truncations)
    text.add(
      "kata_ship_files_lost_total", .counter,
      "Files that were gone when the shipper started, with unread records.", state.files.gone)
    text.add(
      "kata_ship_file_failures_total", .counter, "Files that could not be read completely.",
      state.files.failures)
    text.add(
      "kata_ship_file_records_left_out_total", .counter,
      "Records of files that are longer than max-record-size, or cannot be read.", state.files.leftOut)
  }
}
