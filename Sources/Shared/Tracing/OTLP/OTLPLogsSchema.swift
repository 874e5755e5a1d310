import Bytes

/// The messages of OTLP logs: their fields by number and by name. Source: opentelemetry-proto 1.x,
/// `logs/v1/logs.proto`, `resource/v1/resource.proto` and `common/v1/common.proto`; see `formats/otlp`.
///
/// Both conversions between protobuf and JSON, and the check of received messages, use this one table. A field that is
/// not in it is skipped: those of profiles (`key_strindex`, `string_value_strindex`) are not part of logs.
struct OTLPLogsSchema {
  enum Message: Int {
    case request, resourceLogs, resource, entity, scopeLogs, scope, record, keyValue, value, array, map
  }

  enum Kind {
    case message(Message)
    case string
    /// Base64 in JSON.
    case bytes
    /// An id of this many bytes, or an empty one; hexadecimal digits in JSON.
    case id(Int)
    case bool
    /// An enumeration or a 32-bit count: a number in JSON.
    case number
    /// A 64-bit number of wire type 0, a string in JSON.
    case int64
    /// A 64-bit number of wire type 1, a string in JSON.
    case fixed64
    /// A 32-bit number of wire type 5.
    case fixed32
    case double

    /// The wire type of protobuf's binary form.
    var wire: UInt8 {
      switch self {
      case .message, .string, .bytes, .id: 2
      case .bool, .number, .int64: 0
      case .fixed64, .double: 1
      case .fixed32: 5
      }
    }
  }

  struct Field {
    var number: UInt64
    var name: StaticString
    var kind: Kind
    var isRepeated = false
  }

  /// The fields of each message, in the order of their numbers.
  private static let fields: [[Field]] = [
    [Field(number: 1, name: "resourceLogs", kind: .message(.resourceLogs), isRepeated: true)],
    [
      Field(number: 1, name: "resource", kind: .message(.resource)),
      Field(number: 2, name: "scopeLogs", kind: .message(.scopeLogs), isRepeated: true),
      Field(number: 3, name: "schemaUrl", kind: .string),
    ],
    [
      Field(number: 1, name: "attributes", kind: .message(.keyValue), isRepeated: true),
      Field(number: 2, name: "droppedAttributesCount", kind: .number),
      Field(number: 3, name: "entityRefs", kind: .message(.entity), isRepeated: true),
    ],
    [
      Field(number: 1, name: "schemaUrl", kind: .string),
      Field(number: 2, name: "type", kind: .string),
      Field(number: 3, name: "idKeys", kind: .string, isRepeated: true),
      Field(number: 4, name: "descriptionKeys", kind: .string, isRepeated: true),
    ],
    [
      Field(number: 1, name: "scope", kind: .message(.scope)),
      Field(number: 2, name: "logRecords", kind: .message(.record), isRepeated: true),
      Field(number: 3, name: "schemaUrl", kind: .string),
    ],
    [
      Field(number: 1, name: "name", kind: .string),
      Field(number: 2, name: "version", kind: .string),
      Field(number: 3, name: "attributes", kind: .message(.keyValue), isRepeated: true),
      Field(number: 4, name: "droppedAttributesCount", kind: .number),
    ],
    [
      Field(number: 1, name: "timeUnixNano", kind: .fixed64),
      Field(number: 2, name: "severityNumber", kind: .number),
      Field(number: 3, name: "severityText", kind: .string),
      Field(number: 5, name: "body", kind: .message(.value)),
      Field(number: 6, name: "attributes", kind: .message(.keyValue), isRepeated: true),
      Field(number: 7, name: "droppedAttributesCount", kind: .number),
      Field(number: 8, name: "flags", kind: .fixed32),
      Field(number: 9, name: "traceId", kind: .id(16)),
      Field(number: 10, name: "spanId", kind: .id(8)),
      Field(number: 11, name: "observedTimeUnixNano", kind: .fixed64),
      Field(number: 12, name: "eventName", kind: .string),
    ],
    [
      Field(number: 1, name: "key", kind: .string),
      Field(number: 2, name: "value", kind: .message(.value)),
    ],
    [
      Field(number: 1, name: "stringValue", kind: .string),
      Field(number: 2, name: "boolValue", kind: .bool),
      Field(number: 3, name: "intValue", kind: .int64),
      Field(number: 4, name: "doubleValue", kind: .double),
      Field(number: 5, name: "arrayValue", kind: .message(.array)),
      Field(number: 6, name: "kvlistValue", kind: .message(.map)),
      Field(number: 7, name: "bytesValue", kind: .bytes),
    ],
    [Field(number: 1, name: "values", kind: .message(.value), isRepeated: true)],
    [Field(number: 1, name: "values", kind: .message(.keyValue), isRepeated: true)],
  ]

  static func fields(of message: Message) -> [Field] { fields[message.rawValue] }

  /// The index in ``fields(of:)`` of the field with this number; nil if the message has none.
  @inline(__always)
  static func place(of number: UInt64, in fields: [Field]) -> Int? {
    for place in fields.indices where fields[place].number == number { return place }
    return nil
  }

  /// In a value only the member that was set last counts (`oneof`); a member with its type's default value is still
  /// set.
  static func isOneOf(_ message: Message) -> Bool { message == .value }
}
