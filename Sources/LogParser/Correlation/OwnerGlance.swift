import Bytes

/// What can be said about a record's owner without knowing other records, which for most records is everything.
///
/// It depends only on the record, so that pieces of an input can be examined in parallel.
struct OwnerGlance: Sendable {
  enum Finding {
    /// The record names its sandbox and says nothing else about its owner.
    case stated
    /// Only its process may tell: see ``OwnerTable/Process``.
    case process
    /// Nothing in it says anything about an owner.
    case nothing
    /// It must be read.
    case open
  }

  private let heads = OwnerFields.heads
  private let pathHeads = OwnerPaths.heads

  /// - Parameter record: borrowed, so that it is not copied.
  @inline(__always)
  func isStated(_ record: borrowing Record) -> Bool {
    !record.sandbox.isEmpty && !OwnerFields.mayTell(record, heads)
  }

  /// - Parameter record: of an input whose name says nothing about an owner.
  @inline(__always)
  func finding(_ record: borrowing Record) -> Finding {
    if record.isInferred { return .open }
    if record.sandbox.isEmpty { return ofUnnamed(record) }
    return OwnerFields.mayTell(record, heads) ? .open : .stated
  }

  /// As ``finding(_:)`` for a record without a sandbox: what ``Attribution`` would look at must not be there.
  func ofUnnamed(_ record: borrowing Record) -> Finding {
    guard record.container.isEmpty, !OwnerFields.mayTell(record, heads), !mayNameSandbox(record) else {
      return .open
    }
    if !Attribution.isGuest(record.source, record.name) {
      if record.name == "conmon" || OwnerPhrases.mayTell(record.message) { return .open }
      for index in 0..<record.fields.count where pathHeads.mayHold(record.fields[index]) {
        if OwnerPaths.mayTell(record.fields[index]) { return .open }
      }
    }
    return record.pid > 0 && Attribution.isSandboxProcess(record.name) ? .process : .nothing
  }

  /// Whether the Rust runtime may have given the sandbox as its source, or a library of the Go runtime left it out.
  private func mayNameSandbox(_ record: borrowing Record) -> Bool {
    if record.source.count >= OwnerID.digits, record.name == "kata-runtime" { return true }
    return record.pid == 0 && record.name.isEmpty && record.source.hasPrefix("virtcontainers")
  }
}
