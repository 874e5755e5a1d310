import Bytes

/// A line of Docker's json-file logs: `{"log":"text\n","stream":"stdout","time":"…"}`.
enum DockerObject {
  static let detector = Detector(
    shape: "docker", use: .auto(orForced: [.docker]), firstBytes: "{"
  ) { (line, context, record) throws(RecordProblem) in
    guard context.object.read(line, &record.arena), !context.object.members.contains("msg"),
      let log = context.object.members.value(of: "log")
    else { return .passed }
    var wrapper = Wrapper(log)
    wrapper.stream = context.object.members.value(of: "stream") ?? .empty
    if let time = context.object.members.value(of: "time") { wrapper.time = Timestamp.parse(field: time) }
    guard hasMore(context.object.members) else { return .part(wrapper, isPartial: !log.hasSuffix("\n")) }
    return try readForwarded(wrapper, &context, &record)
  }

  /// Whether a log forwarder (Fluent Bit, Filebeat) added members of its own.
  private static func hasMore(_ members: borrowing MemberList) -> Bool {
    for index in 0..<members.count where !isOwn(members[index].key) { return true }
    return false
  }

  private static func isOwn(_ key: ByteSlice) -> Bool {
    key == "log" || key == "stream" || key == "time" || key.hasPrefix("attrs")
  }

  /// Reads an object with a log forwarder's members, which become fields; those of Kubernetes identify the line's
  /// owner.
  private static func readForwarded(
    _ start: Wrapper, _ context: inout LineContext, _ record: inout Record
  ) throws(RecordProblem) -> Claim {
    var wrapper = start
    wrapper.pod = context.object.members.value(of: "kubernetes.pod_name") ?? .empty
    wrapper.podContainer = context.object.members.value(of: "kubernetes.container_name") ?? .empty
    let claim = try context.claim(wrapper, &record)
    for index in 0..<context.object.members.count {
      let (key, value) = context.object.members[index]
      if isOwn(key) { continue }
      if key == "kubernetes.namespace_name" {
        record.setField("pod_namespace", value)
      } else if key == "kubernetes.docker_id", record.container.isEmpty {
        record.container = value
      } else if key != "kubernetes.pod_name", key != "kubernetes.container_name" {
        record.setField(key, value)
      }
    }
    record.fields.sortKeepingLast()
    return claim
  }
}
