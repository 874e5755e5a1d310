import Bytes

/// The Rust runtime's own records, native in the journal or as slog's JSON: their source is the sandbox, and the
/// logging part is the component or subsystem.
extension TextRecord {
  /// Sets the sandbox and source of a record of the Rust runtime, which names them in its own way; others are
  /// unchanged.
  func completeRuntime(_ record: inout Record) {
    guard record.name == "kata-runtime", !record.source.isEmpty, !Self.isComponent(record.source),
      record.fields.value(of: "subsystem") != nil || record.fields.value(of: "component") != nil
        || record.fields.value(of: "version") != nil
    else { return }
    if record.sandbox.isEmpty { record.sandbox = record.source }
    let subsystem = record.fields.value(of: "subsystem") ?? .empty
    record.source = record.fields.value(of: "component") ?? subsystem
    if subsystem == "dmesg" { readGuestLine(&record) }
    if subsystem == "agent" { readAgentLine(&record) }
  }

  /// The agent's records come as messages of the runtime's agent component, as they are.
  private func readAgentLine(_ record: inout Record) {
    guard rules.unpacksAgent, record.message.hasPrefix("{\"") else { return }
    _ = try? AgentRecord.readObject(record.message, into: &record)
  }

  /// Whether this is a source of the Go runtime, the agent or the early parts of the Rust runtime.
  static func isComponent(_ source: ByteSlice) -> Bool {
    // Nearly all others are ids, which are longer than any of these.
    if source.count > 23 { return source.hasPrefix("virtcontainers") }
    let names: [StaticString] = [
      "agent", "runtime", "katautils", "containerd-kata-shim-v2", "cgroups", "hook", "proxy", "shim",
      "kata-monitor",
      "vmconsole", "hypervisor", "kata-runtime",
    ]
    return source.hasPrefix("virtcontainers") || names.contains { source == $0 }
  }

  /// Reads a line of Dragonball's guest console, which arrives in the runtime's own messages.
  private func readGuestLine(_ record: inout Record) {
    if rules.unpacksAgent, let object = KernelLine.anyAgentObject(in: record.message),
      let isRead = try? AgentRecord.readObject(object.text, into: &record), isRead
    {
      return
    }
    record.source = AgentRecord.consoleSource
    record.message = KernelLine.takeStamp(record.message, into: &record)
  }
}
