import Bytes
import Glibc
import System
import Tracing

/// `kata-trace-forwarder spool export`: spans to standard output.
struct SpoolExport {
  private let files: [SpoolInspection.File]
  private let isSetAside: Bool
  private let format: SpoolCommand.Format
  private static let service = "kata-agent"

  init(_ inspection: SpoolInspection, _ options: SpoolCommand.Options) {
    isSetAside = options.exportsSetAside
    files = isSetAside ? inspection.setAside + inspection.resent : inspection.segments
    format = options.format
  }

  /// Returns the exit status: 1 when something could not be read.
  func run() throws(SystemCallError) -> Int32 {
    let undecoded =
      switch format {
      case .otlp: try writeLines()
      case .jaeger: try writeDocument()
      }
    let lost = files.reduce(0) { $0 + $1.survey.lost + ($1.problem == nil ? 0 : 1) }
    if lost > 0 {
      ForwarderCommand.say(
        "kata-trace-forwarder spool: left out as damaged: \(SpoolInspection.counted(lost, "record"))\n")
    }
    if undecoded > 0 {
      ForwarderCommand.say(
        "kata-trace-forwarder spool: left out because they are not spans: \(SpoolInspection.counted(undecoded, "record"))\n"
      )
    }
    return lost + undecoded > 0 ? 1 : 0
  }

  /// Where in a record's payload the span is.
  private func spanRange(_ payload: UnsafeRawBufferPointer) -> Range<Int>? {
    isSetAside ? SetAsideRecord(payload)?.span : 0..<payload.count
  }

  private func decode(_ payload: UnsafeRawBufferPointer, into span: inout Span) -> Bool {
    guard let range = spanRange(payload) else { return false }
    return (try? OTLPProtobuf.decode(payload.part(clamping: range), limits: .none, into: &span)) != nil
  }

  private func writeLines() throws(SystemCallError) -> Int {
    var out = ByteWriter(capacity: 1 << 20)
    var span = Span()
    var undecoded = 0
    var failure: SystemCallError?
    for file in files {
      try SpoolInspection.visit(file) { _, payload in
        guard failure == nil else { return }
        guard decode(payload, into: &span) else {
          undecoded += 1
          return
        }
        OTLPJSON.encode(span, to: &out)
        out.put("\n")
        guard out.count > 1 << 20 else { return }
        do throws(SystemCallError) { try SpoolCommand.print(out.bytes) } catch { failure = error }
        out.removeAll()
      }
      if let failure { throw failure }
    }
    try SpoolCommand.print(out.bytes)
    return undecoded
  }

  private struct PayloadPlace {
    var file: Int
    var range: Range<Int>
  }

  /// Trace by trace, so that no more than the largest is in memory, and of all others where their spans are.
  private func writeDocument() throws(SystemCallError) -> Int {
    var places: [TraceID: [PayloadPlace]] = [:]
    var order: [TraceID] = []
    var span = Span()
    var undecoded = 0
    for (index, file) in files.enumerated() {
      try SpoolInspection.visit(file) { range, payload in
        guard let inner = spanRange(payload), decode(payload, into: &span) else {
          undecoded += 1
          return
        }
        if places[span.traceID] == nil { order.append(span.traceID) }
        let start = range.lowerBound + inner.lowerBound
        places[span.traceID, default: []].append(
          PayloadPlace(file: index, range: start..<start + inner.count))
      }
    }
    var out = ByteWriter(capacity: 1 << 20)
    out.put(TraceDocument.envelopeStart)
    for (index, id) in order.enumerated() {
      if index > 0 { out.put(",\n") }
      try write(id, places[id] ?? [], &out)
      if out.count > 1 << 20 {
        try SpoolCommand.print(out.bytes)
        out.removeAll()
      }
    }
    out.put(TraceDocument.envelopeEnd)
    try SpoolCommand.print(out.bytes)
    return undecoded
  }

  private func write(_ id: TraceID, _ places: [PayloadPlace], _ out: inout ByteWriter) throws(SystemCallError)
  {
    var document = TraceDocument(id)
    var scratch = ByteWriter(capacity: 16 << 10)
    var span = Span()
    var open: (index: Int, file: OpenFile)?
    for place in places {
      if open?.index != place.file {
        open = (place.file, try SpoolInspection.open(files[place.file]))
      }
      guard let file = open?.file else { continue }
      let path = files[place.file].path
      let bytes = try file.bytes(at: place.range.lowerBound, place.range.count, path)
      let isGood = bytes.withUnsafeBytes {
        (try? OTLPProtobuf.decode($0, limits: .none, into: &span)) != nil
      }
      if isGood { _ = document.add(span, defaultService: Self.service, &scratch) }
    }
    document.put(to: &out)
  }
}
