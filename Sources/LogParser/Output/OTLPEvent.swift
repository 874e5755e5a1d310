import Bytes

/// The records that report a step in the life of a sandbox or container, and the names of these events.
///
/// The runtime's events count only in records of its own processes: a guest may print the same words.
enum OTLPEvent {
  private struct Mark: Sendable {
    var origin: OTLPOrigin
    var message: StaticString
    var name: StaticString
    /// Whether more words may follow.
    var isPrefix = false
  }

  private static let marks = [
    Mark(origin: .shim, message: "Starting VM", name: "kata.sandbox.vm_starting"),
    Mark(origin: .shim, message: "Preparing QEMU VM", name: "kata.sandbox.vm_starting"),
    Mark(origin: .shim, message: "VM started", name: "kata.sandbox.vm_started"),
    Mark(origin: .shim, message: "start vm", name: "kata.sandbox.vm_started"),
    Mark(origin: .shim, message: "Agent started in the sandbox", name: "kata.sandbox.ready"),
    Mark(origin: .shim, message: "Sandbox is started", name: "kata.sandbox.started"),
    Mark(origin: .shim, message: "Container is started", name: "kata.container.started"),
    Mark(origin: .shim, message: "The container status is StatusStopped", name: "kata.container.exited"),
    Mark(
      origin: .shim, message: "container process exited with ", name: "kata.container.exited", isPrefix: true),
    Mark(origin: .shim, message: "Stopping sandbox in the VM", name: "kata.sandbox.stopping"),
    Mark(origin: .shim, message: "begin stop sandbox", name: "kata.sandbox.stopping"),
    Mark(origin: .shim, message: "Stopping VM", name: "kata.sandbox.vm_stopping"),
    Mark(origin: .shim, message: "Stopping QEMU VM", name: "kata.sandbox.vm_stopping"),
    Mark(origin: .shim, message: "sandbox stopped", name: "kata.sandbox.stopped"),
    Mark(origin: .guest, message: "announce", name: "kata.agent.started"),
    Mark(origin: .guest, message: "ttRPC server started", name: "kata.agent.ready"),
    Mark(origin: .guest, message: "created container!", name: "kata.agent.container_created"),
    Mark(origin: .guest, message: "container started", name: "kata.agent.container_started"),
  ]

  /// One bit for each length that the message of a mark has.
  private static let lengths = marks.reduce(UInt64(0)) { $0 | 1 << UInt64($1.message.utf8CodeUnitCount) }

  /// The event that a record reports; nil for most.
  @inline(__always)
  static func name(_ record: borrowing Record, _ origin: OTLPOrigin) -> StaticString? {
    let length = UInt64(truncatingIfNeeded: record.message.count)
    if origin == .host || length > 63 { return nil }
    let mayBeLonger = record.message.peek(0) == UInt8(ascii: "c")
    guard lengths >> length & 1 == 1 || mayBeLonger else { return nil }
    return find(record.message, origin)
  }

  @inline(never)
  private static func find(_ message: ByteSlice, _ origin: OTLPOrigin) -> StaticString? {
    marks.first { mark in
      mark.origin == origin && (mark.isPrefix ? message.hasPrefix(mark.message) : message == mark.message)
    }?.name
  }
}
