import Bytes

/// A Kubernetes event, in a list as printed by `kubectl get events -o json`, or logged singly by other programs.
/// https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
enum KubernetesEvent {
  static let detector = Detector(shape: "kubernetes-events", firstBytes: "{") {
    (line, context, record) throws(RecordProblem) in
    guard context.rules.readsLoggers, mayBe(line) else { return .passed }
    if line.range(of: "\"items\"") != nil { return context.rules.isLenient ? .object : .passed }
    guard context.object.read(line, &record.arena), let names = Names(context.object.members) else {
      return .passed
    }
    names.read(context.object.members, into: &record)
    return .record
  }

  /// Whether a line may be an event or a list of events. Loggers' lines, which are frequent, are ruled out by their
  /// first member.
  private static func mayBe(_ line: ByteSlice) -> Bool {
    for start in loggersStarts where line.hasPrefix(start) { return false }
    return line.range(of: "\"involvedObject\"") != nil || line.range(of: "\"regarding\"") != nil
  }

  private static let loggersStarts: [StaticString] = [
    "{\"msg\"", "{\"level\"", "{\"time\"", "{\"ts\"", "{\"log\"", "{\"message\"",
  ]

  /// The names of the members, which include the wrapper that watches put around events.
  private struct Names {
    var prefix = 0
    let object: StaticString

    init?(_ members: borrowing MemberList) {
      var object: StaticString?
      for index in 0..<members.count {
        let key = members[index].key
        for wrapper in ["", "event.", "object."] as [StaticString] where key.hasPrefix(wrapper) {
          let rest = key.dropFirst(wrapper.utf8CodeUnitCount)
          if rest == "involvedObject.kind" {
            object = "involvedObject."
          } else if rest == "regarding.kind" {
            object = "regarding."
          } else {
            continue
          }
          prefix = wrapper.utf8CodeUnitCount
        }
      }
      guard let object else { return nil }
      self.object = object
      guard
        value("reason", members) != nil || value("message", members) != nil || value("note", members) != nil
      else {
        return nil
      }
    }

    func value(_ name: StaticString, _ members: borrowing MemberList) -> ByteSlice? {
      for index in 0..<members.count where members[index].key.dropFirst(prefix) == name {
        let value = members[index].value
        return value.isEmpty ? nil : value
      }
      return nil
    }

    func ofObject(_ name: StaticString, _ members: borrowing MemberList) -> ByteSlice? {
      for index in 0..<members.count {
        let key = members[index].key.dropFirst(prefix)
        if key.hasPrefix(object), key.dropFirst(object.utf8CodeUnitCount) == name {
          return members[index].value
        }
      }
      return nil
    }

    func read(_ members: borrowing MemberList, into record: inout Record) {
      record.time = time(members) ?? .unset
      switch value("type", members) {
      case let type? where type == "Warning": record.level = LevelName.warning
      case let type? where type == "Error": record.level = LevelName.error
      default: record.level = LevelName.info
      }
      record.message = value("message", members) ?? value("note", members) ?? .empty
      record.name =
        value("reportingComponent", members) ?? value("reportingController", members)
        ?? value("source.component", members) ?? value("deprecatedSource.component", members) ?? .empty
      let host =
        value("source.host", members) ?? value("deprecatedSource.host", members)
        ?? value("reportingInstance", members)
      if let host { record.setField("host", host) }
      if let reason = value("reason", members) { record.setField("reason", reason) }
      if let count = value("count", members) ?? value("series.count", members) {
        record.setField("count", count)
      }
      addObject(members, &record)
      record.fields.sortKeepingLast()
    }

    private func addObject(_ members: borrowing MemberList, _ record: inout Record) {
      let name = ofObject("name", members)
      let namespace = ofObject("namespace", members)
      if let kind = ofObject("kind", members), kind != "Pod" {
        record.setField("object_kind", kind)
        if let name { record.setField("object_name", name) }
        if let namespace { record.setField("object_namespace", namespace) }
        return
      }
      if let name { record.setField("pod", name) }
      if let namespace { record.setField("pod_namespace", namespace) }
    }

    private func time(_ members: borrowing MemberList) -> Timestamp? {
      let names: [StaticString] = [
        "lastTimestamp", "series.lastObservedTime", "deprecatedLastTimestamp", "eventTime", "firstTimestamp",
        "metadata.creationTimestamp",
      ]
      for name in names {
        if let text = value(name, members), let time = Timestamp.parse(field: text) { return time }
      }
      return nil
    }
  }
}
