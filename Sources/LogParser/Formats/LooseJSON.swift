import Bytes

/// Records that are JSON objects, with whatever names their logger gives the parts (logrus, slog, zap, tracing, Python,
/// Fluent Bit), in any order, and with parts missing.
enum LooseJSON {
  private static let messageKeys: [StaticString] = [
    "msg", "message", "MESSAGE", "fields.message", "log", "text", "event",
  ]
  private static let timeKeys: [StaticString] = [
    "time", "ts", "timestamp", "@timestamp", "asctime", "eventTime", "T",
  ]
  private static let levelKeys: [StaticString] = ["level", "lvl", "severity", "levelname", "log.level", "L"]
  private static let sourceKeys: [StaticString] = ["source", "logger", "target", "component"]

  /// Which member is which part of the record.
  struct Names {
    let message: StaticString?
    let time: StaticString?
    let level: StaticString?
    let source: StaticString?

    init(_ members: borrowing MemberList) {
      message = Self.first(messageKeys, members)
      level = Self.first(levelKeys, members)
      source = Self.first(sourceKeys, members)
      time = timeKeys.first { members.value(of: $0).map { Timestamp.parse(field: $0) != nil } ?? false }
    }

    private static func first(_ keys: [StaticString], _ members: borrowing MemberList) -> StaticString? {
      for key in keys where members.contains(key) { return key }
      return nil
    }

    /// Whether the object says enough to be a record by itself.
    var isRecord: Bool { message != nil && (level != nil || time != nil) }
    /// Whether the object is some logger's, whatever it lacks.
    var isAnyRecord: Bool { message != nil || level != nil || time != nil }
  }

  /// Reads the members into `record`, whose fields they replace.
  ///
  /// - Parameter keepsTime: whether the time stays a field, because something on the host says when the record came.
  static func read(
    _ members: borrowing MemberList, _ names: Names, into record: inout Record, keepsTime: Bool
  ) {
    let isAgent = JSONRecord.isAgent(members)
    for index in 0..<members.count {
      let (key, value) = members[index]
      if let time = names.time, key == time {
        if keepsTime {
          record.setField(key, value)
        } else {
          record.time = Timestamp.parse(field: value) ?? .unset
        }
      } else if let message = names.message, key == message {
        record.message = value
      } else if let level = names.level, key == level {
        record.level = LevelName.normalized(value) ?? value
        if isAgent || !record.level.equals(value) { record.setField("level", value) }
      } else if let source = names.source, key == source {
        record.source = value
      } else {
        assign(key, value, to: &record)
      }
    }
    record.fields.sortKeepingLast()
  }

  private static func assign(_ key: ByteSlice, _ value: ByteSlice, to record: inout Record) {
    switch KnownKey(key) {
    case .time: record.setField("time.unread", value)
    case .request:
      _ = record.set(.request, value)
      record.setField(key, value)
    case .msg, .level, .source: record.setField(key, value)
    case let known?: if !record.set(known, value, leastPid: 0), !value.isEmpty { record.setField(key, value) }
    case nil:
      if key == "container-id" || key == "container_id" || key == "cid" {
        record.container = value
      } else {
        record.setField(key, value)
      }
    }
  }
}
