import Bytes

/// A line of Docker's json-file logs: `{"log":"text\n","stream":"stdout","time":"…"}`.
enum DockerObject {
  static let detector = Detector(
    shape: "docker", use: .auto(orForced: [.docker]), firstBytes: "{"
  ) { (line, context, record) throws(RecordProblem) in
    guard context.object.read(line, &record.arena) else { return .passed }
    let own = Own(context.object.members)
    guard !own.hasMessage, let log = own.log else { return .passed }
    var wrapper = Wrapper(log)
    wrapper.stream = own.stream
    if let time = own.time { wrapper.time = record.time(of: time) }
    guard own.hasMore else {
      context.part = wrapper
      return .part(isPartial: !log.hasSuffix("\n"))
    }
    return try readForwarded(wrapper, &context, &record)
  }

  /// The members that Docker writes, each the last of its name, and whether there are others.
  private struct Own {
    private(set) var log: ByteSlice?
    private(set) var stream = ByteSlice.empty
    private(set) var time: ByteSlice?
    private(set) var hasMessage = false
    /// Whether a forwarder (Fluent Bit, Filebeat) added members of its own.
    private(set) var hasMore = false

    init(_ members: borrowing MemberList) {
      for index in 0..<members.count {
        let (key, value) = members[index]
        if key == "log" {
          log = value
        } else if key == "stream" {
          stream = value
        } else if key == "time" {
          time = value
        } else if key == "msg" {
          hasMessage = true
        } else if !DockerObject.isOwn(key) {
          hasMore = true
        }
      }
    }
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
