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
    return .part(wrapper, isPartial: !log.hasSuffix("\n"))
  }
}
