import Bytes

/// Records of spans that are not in the spool yet, and how many they are.
struct SpanBatch: ~Copyable {
  private(set) var records: ByteWriter
  private(set) var count = 0

  init(capacity: Int = 64) { records = ByteWriter(capacity: capacity) }

  var isEmpty: Bool { count == 0 }

  /// Calls `encode` to append the record of one span.
  mutating func add(_ encode: (inout ByteWriter) -> Void) {
    encode(&records)
    count += 1
  }

  /// Appends the records of another batch.
  mutating func append(_ other: borrowing SpanBatch) {
    records.put(other.records.bytes)
    count += other.count
  }

  /// Empties it and keeps its memory, but for that of a huge span.
  mutating func removeAll() {
    records.removeAll()
    count = 0
  }
}

/// The spans of one connection that the spool has refused. They are offered again, before any newer one, until it takes
/// them.
struct PendingBatch: ~Copyable {
  private var batch = SpanBatch()

  var count: Int { batch.count }
  var isEmpty: Bool { batch.isEmpty }

  /// Takes the spans of a refused batch, which is empty afterwards.
  mutating func hold(_ refused: inout SpanBatch) {
    if batch.isEmpty {
      swap(&batch, &refused)
    } else {
      batch.append(refused)
    }
    refused.removeAll()
  }

  /// Offers what waits; false when it is refused again, and stays.
  mutating func retry(_ offer: (borrowing SpanBatch) -> Bool) -> Bool {
    guard !isEmpty else { return true }
    guard offer(batch) else { return false }
    batch = SpanBatch()
    return true
  }
}
