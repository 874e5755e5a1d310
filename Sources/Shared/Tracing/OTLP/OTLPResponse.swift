import Bytes
import Encodings

/// What a collector answers to a request of spans or of log records: `ExportTraceServiceResponse` or
/// `ExportLogsServiceResponse`, which have the same fields, or `google.rpc.Status` if it failed.
package enum OTLPResponse {
  /// The answer to a request that was accepted except for `rejected` spans, or log records; `message` says why those were
  /// not.
  package static func partialSuccess(
    rejected: Int, message: String, isJSON: Bool, ofLogs: Bool = false
  ) -> [UInt8] {
    var out = ByteWriter(capacity: 256)
    if rejected == 0 {
      if isJSON { out.put("{}") }
    } else if isJSON {
      out.put("{\"partialSuccess\":{\"")
      out.put(ofLogs ? "rejectedLogRecords" : "rejectedSpans")
      out.put("\":\"")
      out.put(decimal: Int64(rejected))
      out.put("\",\"errorMessage\":")
      out.put(json: message)
      out.put("}}")
    } else {
      var inner = ByteWriter(capacity: 256)
      inner.put(1 << 3)
      inner.varint(UInt64(rejected))
      inner.put(2 << 3 | 2)
      inner.varint(UInt64(message.utf8.count))
      inner.put(string: message)
      out.put(1 << 3 | 2)
      out.varint(UInt64(inner.count))
      out.put(inner.bytes)
    }
    return out.array
  }

  /// The answer to a request that cannot be decoded: a status with the code `INVALID_ARGUMENT`.
  package static func invalidArgument(_ message: String, isJSON: Bool) -> [UInt8] {
    var out = ByteWriter(capacity: 256)
    if isJSON {
      out.put("{\"code\":3,\"message\":")
      out.put(json: message)
      out.put(UInt8(ascii: "}"))
    } else {
      out.put(1 << 3)
      out.put(3)
      out.put(2 << 3 | 2)
      out.varint(UInt64(message.utf8.count))
      out.put(string: message)
    }
    return out.array
  }

  /// Number of spans or log records that were rejected, and why; nil if the answer does not say, or is not such an answer.
  package static func partialSuccess(_ answer: [UInt8], isJSON: Bool) -> (rejected: Int, message: String)? {
    answer.withUnsafeBytes { bytes in
      isJSON ? (try? json(bytes)) ?? nil : (try? protobuf(bytes)) ?? nil
    }
  }

  private static func protobuf(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> (Int, String)? {
    var reader = ByteReader(bytes)
    var result: (Int, String)?
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == 1, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      var part = try reader.protobufMessage()
      var rejected = 0
      var message = ""
      while !part.isAtEnd {
        let (field, wire) = try part.protobufTag()
        switch (field, wire) {
        case (1, 0): rejected = Int(clamping: try part.varint())
        case (2, 2):
          let text = try part.protobufMessage()
          message = String(decoding: bytes.part(text.position..<text.end), as: UTF8.self)
        default: try part.skipProtobuf(wire)
        }
      }
      result = (rejected, message)
    }
    return result
  }

  private static func json(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> (Int, String)? {
    var json = try JSONScanner(bytes)
    var result: (Int, String)?
    var more = try json.beginObject()
    while more {
      if try json.key() == "partialSuccess", json.peek() == 0x7b {
        var rejected = 0
        var message = ""
        var inner = try json.beginObject()
        while inner {
          let key = try json.key()
          if key == "rejectedSpans" || key == "rejectedLogRecords" {
            let isText = json.take(0x22)
            rejected = Int(clamping: try json.signed())
            if isText { try json.expect(0x22) }
          } else if key == "errorMessage" {
            message = try json.string()
          } else {
            try json.skipValue()
          }
          inner = try json.another(0x7d)
        }
        result = (rejected, message)
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
    return result
  }
}
