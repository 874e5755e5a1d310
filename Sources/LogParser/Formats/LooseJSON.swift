import Bytes

/// Records that are JSON objects with any logger's names for the parts (logrus, slog, zap, tracing, Python, Fluent
/// Bit), in any order, and with parts missing.
enum LooseJSON {
  /// Which part of a record a member may be, and the rank of its name among those of the part.
  private enum Part {
    case message, time, level, source
  }

  /// Checks the length first, because hardly any name is one of these.
  private static func part(of key: ByteSlice) -> (part: Part, rank: Int)? {
    switch key.count {
    case 1: key == "L" ? (.level, 5) : key == "T" ? (.time, 6) : nil
    case 2: key == "ts" ? (.time, 1) : nil
    case 3: key == "msg" ? (.message, 0) : key == "log" ? (.message, 4) : key == "lvl" ? (.level, 1) : nil
    case 4: key == "time" ? (.time, 0) : key == "text" ? (.message, 5) : nil
    case 5: key == "level" ? (.level, 0) : key == "event" ? (.message, 6) : nil
    case 6:
      key == "source" ? (.source, 0) : key == "logger" ? (.source, 1) : key == "target" ? (.source, 2) : nil
    case 7:
      key == "message"
        ? (.message, 1) : key == "MESSAGE" ? (.message, 2) : key == "asctime" ? (.time, 4) : nil
    case 8: key == "severity" ? (.level, 2) : nil
    case 9:
      key == "timestamp"
        ? (.time, 2) : key == "eventTime" ? (.time, 5) : key == "component" ? (.source, 3) : longPart(of: key)
    case 10: key == "@timestamp" ? (.time, 3) : nil
    default: longPart(of: key)
    }
  }

  private static func longPart(of key: ByteSlice) -> (part: Part, rank: Int)? {
    key == "fields.message"
      ? (.message, 3) : key == "levelname" ? (.level, 3) : key == "log.level" ? (.level, 4) : nil
  }

  /// For each part of the record, the index of its member, or -1.
  struct Names {
    private(set) var message = -1
    private(set) var time = -1
    private(set) var level = -1
    private(set) var source = -1
    /// The value of the time.
    private(set) var instant = Timestamp.unset

    init(_ members: borrowing MemberList) {
      var ranks = (message: Int.max, time: Int.max, level: Int.max, source: Int.max)
      for index in 0..<members.count {
        guard let (part, rank) = LooseJSON.part(of: members[index].key) else { continue }
        // Of several members with one name, the last one counts.
        switch part {
        case .message where rank <= ranks.message: (message, ranks.message) = (index, rank)
        case .level where rank <= ranks.level: (level, ranks.level) = (index, rank)
        case .source where rank <= ranks.source: (source, ranks.source) = (index, rank)
        case .time where rank <= ranks.time:
          guard let found = Timestamp.parse(field: members[index].value) else { continue }
          (time, ranks.time, instant) = (index, rank, found)
        default: continue
        }
      }
    }

    /// Whether the object has enough parts to be a record by itself.
    var isRecord: Bool { message >= 0 && (level >= 0 || time >= 0) }
    /// Whether the object is some logger's record, even if parts are missing.
    var isAnyRecord: Bool { message >= 0 || level >= 0 || time >= 0 }
  }

  /// Reads the members into `record`, which must be empty. Of members of one name the last one counts, and the others are
  /// fields `name.1` and so on.
  ///
  /// - Parameter keepsTime: whether the time stays a field, because the host has recorded the time of arrival.
  static func read(
    _ members: borrowing MemberList, _ names: Names, into record: inout Record, keepsTime: Bool
  ) {
    let isAgent = JSONRecord.isAgent(members)
    for index in 0..<members.count {
      let (key, value) = members[index]
      if index == names.time {
        if keepsTime {
          record.setFieldKeeping(key, value)
        } else {
          record.time = names.instant
        }
      } else if index == names.message {
        record.message = value
      } else if index == names.level {
        record.level = LevelName.normalized(value) ?? value
        if isAgent || !record.level.equals(value) { record.setFieldKeeping("level", value) }
      } else if index == names.source {
        record.source = value
      } else {
        assign(key, value, to: &record)
      }
    }
    record.fields.sortKeepingLast()
  }

  private static func assign(_ key: ByteSlice, _ value: ByteSlice, to record: inout Record) {
    switch KnownKey(key) {
    case .time: record.setFieldKeeping("time.unread", value)
    case .request:
      _ = record.set(.request, value)
      record.setFieldKeeping(key, value)
    case .msg, .level, .source: record.setFieldKeeping(key, value)
    case let known?:
      if !record.setKeeping(known, key, value), !value.isEmpty { record.setFieldKeeping(key, value) }
    case nil:
      if key == "container-id" || key == "container_id" || key == "cid" && !value.isVsockContext {
        _ = record.setKeeping(.container, key, value)
      } else {
        record.setFieldKeeping(key, value)
      }
    }
  }
}
