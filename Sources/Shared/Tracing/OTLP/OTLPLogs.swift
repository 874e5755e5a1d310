import Bytes

/// OTLP logs: `ExportLogsServiceRequest`, which has the same bytes as `LogsData`. Source: opentelemetry-proto 1.x,
/// `logs/v1/logs.proto`; see `formats/otlp`.
package enum OTLPLogs {
  /// Field 1 of `ExportLogsServiceRequest`, of wire type 2: a `ResourceLogs`.
  package static let resourceLogsTag: UInt8 = 0x0a

  /// Appends a request with the records of `request` in which each resource and each scope appears once. Records of one
  /// scope stay in order; resources and scopes are in the order of first appearance.
  ///
  /// - Parameter request: any number of `ResourceLogs`, each with its tag and length. Bytes that are not such messages
  ///   are appended unchanged: their reader will report what is wrong with them.
  package static func group(_ request: UnsafeRawBufferPointer, to out: inout ByteWriter) {
    do throws(CodecError) {
      try OTLPLogsGrouping(request).put(to: &out)
    } catch {
      out.put(request)
    }
  }

  /// Whether bytes are framed as a `ResourceLogs` message with a record.
  package static func isRecord(_ message: UnsafeRawBufferPointer) -> Bool {
    do throws(CodecError) { return try OTLPLogsGrouping.hasRecord(ByteReader(message)) } catch {
      return false
    }
  }

  /// Appends a request as JSON, without a line end. Fields that are not part of OTLP logs are left out.
  package static func putJSON(
    _ request: UnsafeRawBufferPointer, to out: inout ByteWriter
  ) throws(CodecError) {
    try OTLPLogsJSONWriter(bytes: request).put(.request, ByteReader(request), &out)
  }

  /// Converts a request from JSON to protobuf's binary form and appends it.
  package static func putProtobuf(
    json request: UnsafeRawBufferPointer, to out: inout ByteWriter
  ) throws(CodecError) {
    var reader = try OTLPLogsJSONReader(request)
    try reader.read(.request, into: &out)
  }

  /// Splits a request: passes each record to `body` as a `ResourceLogs` message with that record only, without tag and
  /// length, and with what the receiver knows about its origin. Passes the reason of a broken record to `refused`.
  /// Broken framing ends the split.
  package static func decodeRequest(
    _ request: UnsafeRawBufferPointer, limits: SpanLimits, provenance: LogProvenance,
    refused: (CodecError) -> Void, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(CodecError) {
    var decoder = OTLPLogsDecoder(request, limits: limits, provenance: provenance)
    try decoder.decode(refused: refused, body)
  }
}
