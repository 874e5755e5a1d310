import HTTP
import System

/// What a shipper counts; read by the thread that answers `/metrics`.
final class ShipCounters: Sendable {
  /// A counter that only grows, by its name in the text.
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
      case .suppressed: "Messages that journald says it suppressed before they were logged."
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

  /// Takes in what the files and the quota count.
  func note(_ files: ShippedFiles.Counts, _ quota: SandboxQuota) {
    state.withLock {
      $0.files = files
      $0.droppedRecords = quota.droppedRecords
      $0.droppedBytes = quota.droppedBytes
    }
  }

  /// Records that were dropped because a sandbox was over its quota, or lost with a file that went unread.
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
      "kata_ship_file_truncations_total", .counter, "Times that a followed file was truncated.",
      state.files.truncations)
    text.add(
      "kata_ship_files_lost_total", .counter,
      "Files that had gone when the shipper started, with what it had not read of them.", state.files.gone)
    text.add(
      "kata_ship_file_failures_total", .counter, "Files that could not be read, or not to their end.",
      state.files.failures)
    text.add(
      "kata_ship_file_records_left_out_total", .counter,
      "Records of files that are longer than max-record-size, or cannot be read.", state.files.leftOut)
  }
}
