import Bytes
import Tracing

/// OTLP logs. The records of their spool are `ResourceLogs` messages of one record each; a request has each resource
/// and scope once.
final class OTLPLogsRequestEncoder: RequestEncoder {
  private let usesJSON: Bool
  private var single = ByteWriter(capacity: 64 << 10)
  private var grouped = ByteWriter(capacity: 64)

  init(usesJSON: Bool) { self.usesJSON = usesJSON }

  var contentType: String { usesJSON ? "application/json" : "application/x-protobuf" }

  func encode(_ payloads: Range<Int>, of batch: SpoolBatch, to body: inout ByteWriter) -> EncodedRequest {
    body.removeAll()
    single.removeAll()
    var request = EncodedRequest(end: payloads.upperBound)
    batch.bytes.withBytes { bytes in
      for index in payloads {
        let payload = bytes.part(clamping: batch.payloads[index])
        guard OTLPLogs.isRecord(payload) else {
          request.unreadable += 1
          continue
        }
        single.put(OTLPLogs.resourceLogsTag)
        single.varint(UInt64(payload.count))
        single.put(payload)
        request.spans += 1
        request.lastSpan = index
      }
    }
    if usesJSON {
      grouped.removeAll()
      OTLPLogs.group(single.bytes, to: &grouped)
      // What is not a record was left out above.
      try? OTLPLogs.putJSON(grouped.bytes, to: &body)
    } else {
      OTLPLogs.group(single.bytes, to: &body)
    }
    return request
  }

  func encodeEmpty(to body: inout ByteWriter) {
    body.removeAll()
    // In protobuf a message without a field has no byte.
    if usesJSON { body.put("{\"resourceLogs\":[]}") }
  }

  func rejected(_ answer: [UInt8]) -> (count: Int, message: String)? {
    guard let (count, message) = OTLPResponse.partialSuccess(answer, isJSON: usesJSON),
      count > 0 || !message.isEmpty
    else { return nil }
    return (count, message)
  }
}
