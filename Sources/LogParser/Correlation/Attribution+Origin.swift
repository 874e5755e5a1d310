import Bytes

/// The kind of program that wrote a record, which determines whose owner the record can tell.
extension Attribution {
  /// Whether the text of the record comes from a guest.
  package static func isGuest(_ source: ByteSlice, _ name: ByteSlice) -> Bool {
    source == "vmconsole" || name == "kata-agent" || name == "kernel"
      || source == "agent" && name != "kata-proxy"
  }

  /// Whether the record is one in which the host's kernel names cgroups, such as what was killed for want of memory.
  /// Its other lines are short, and name nobody.
  static func isHostKernelsReport(_ record: borrowing Record) -> Bool {
    record.message.count >= 100 && record.source == "kernel"
  }

  /// Whether the record was written by a process that serves a single sandbox.
  static func isSandboxProcess(_ name: ByteSlice) -> Bool {
    switch name.count {
    case 4: name == "kata"
    case 9: name == "kata-shim" || name == "virtiofsd"
    case 10: name == "kata-proxy"
    case 12: name == "kata-runtime"
    default: name.hasPrefix("containerd-shim")
    }
  }
}
