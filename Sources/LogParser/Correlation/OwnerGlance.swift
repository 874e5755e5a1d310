import Bytes

/// What can be said of a record's owner without knowing what other records have said: for most, all there is.
///
/// It depends on nothing but the record, so that pieces of an input can be looked at side by side.
struct OwnerGlance: Sendable {
  enum Finding {
    /// The record names its sandbox and tells of its owner nothing else.
    case stated
    /// Only its process may tell: see ``OwnerTable/Process``.
    case process
    /// Nothing in it tells of an owner.
    case nothing
    /// It must be read.
    case open
  }

  private let heads = OwnerFields.heads
  private let pathHeads = OwnerPaths.heads

  /// - Parameter record: is not changed; borrowed, all of it would be copied.
  @inline(__always)
  func isStated(_ record: borrowing Record) -> Bool {
    !record.sandbox.isEmpty && !OwnerFields.mayTell(record, heads)
  }

  /// - Parameter record: of an input whose name tells nothing of an owner.
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
