import Bytes

/// OTLP's logs: `ExportLogsServiceRequest`, which has the same bytes as `LogsData`. Source: opentelemetry-proto 1.x,
/// `logs/v1/logs.proto`; see `formats/otlp`.
package enum OTLPLogs {
  /// Field 1 of `ExportLogsServiceRequest`, of wire type 2: a `ResourceLogs`.
  package static let resourceLogsTag: UInt8 = 0x0a

  /// Appends a request that has the records of `request`, each resource and each scope once. Records of one scope stay in
  /// order; resources and scopes are in the order in which they first appear.
  ///
  /// - Parameter request: any number of `ResourceLogs`, each with its tag and length. Bytes that are no such message are
  ///   appended as they are: whoever reads them is to find what is wrong with them.
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

  /// Appends a request as JSON, without a line end. Fields that are no part of OTLP's logs are left out.
  package static func putJSON(
    _ request: UnsafeRawBufferPointer, to out: inout ByteWriter
  ) throws(CodecError) {
    try OTLPLogsJSONWriter(bytes: request).put(.request, ByteReader(request), &out)
  }

  /// Appends a request that is given as JSON in protobuf's binary form.
  package static func putProtobuf(
    json request: UnsafeRawBufferPointer, to out: inout ByteWriter
  ) throws(CodecError) {
    var reader = try OTLPLogsJSONReader(request)
    try reader.read(.request, into: &out)
  }

  /// Takes a request apart: each record is handed to `body` as a `ResourceLogs` message that has nothing else, without tag
  /// and length, and with what the receiver knows of its origin. A broken record is handed to `refused`; what breaks the
  /// framing ends it all.
  package static func decodeRequest(
    _ request: UnsafeRawBufferPointer, limits: SpanLimits, provenance: LogProvenance,
    refused: (CodecError) -> Void, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(CodecError) {
    var decoder = OTLPLogsDecoder(request, limits: limits, provenance: provenance)
    try decoder.decode(refused: refused, body)
  }
}
