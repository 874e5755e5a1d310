import Bytes

/// OTLP's logs: `ExportLogsServiceRequest`, which has the same bytes as `LogsData`. Source: opentelemetry-proto 1.x,
/// `logs/v1/logs.proto`; see `formats/otlp-logs`.
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
}
