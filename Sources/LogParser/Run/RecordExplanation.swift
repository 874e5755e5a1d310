import Bytes

/// Explains to people how one line of an input was read: its format, the values read from it, what
/// was inferred and from what.
struct RecordExplanation {
  private(set) var text: String

  /// - Parameters:
  ///   - place: the input and the line that was asked for.
  ///   - shape: the folder in `formats/input` that specifies the line's format.
  init(_ record: borrowing Record, _ owner: Owner, place: String, asked: UInt64, shape: String) {
    text = "\(place)\n"
    if record.line != asked {
      put("part of", "the record that begins in line \(record.line)")
    }
    put("read as", Self.words(record, shape))
    putTime(record)
    put("level", record.level, record.marks.contains(.levelIsInferred) ? "inferred from the message" : nil)
    put("message", record.message)
    put("source", record.source)
    put("name", record.name)
    if record.pid != 0 { put("pid", "\(record.pid)") }
    put("sandbox", owner.sandbox, Self.why(owner.sandboxEvidence))
    put("container", owner.container, Self.why(owner.containerEvidence))
    put("pod", owner.pod, Self.why(owner.podEvidence))
    put("pod's namespace", owner.namespace, Self.why(owner.podEvidence))
    if !owner.unknownID.isEmpty {
      put("id", owner.unknownID, "of a sandbox or a container: no earlier line says which")
    }
    putFields(record)
    if record.marks.contains(.isTruncated) { put("truncated", "its end is missing") }
    if record.marks.contains(.unpackFailed) { put("agent record", "present, but it cannot be read") }
  }

  private mutating func putTime(_ record: borrowing Record) {
    let reasons: [(mark: RecordMarks, reason: String)] = [
      (.timeIsInherited, "the line has none: that of a neighbour, or of the file"),
      (.timeIsCountedBack, "the line says how long ago: counted back from when the file was last written"),
      (.yearIsInferred, "the line has no year: inferred from when the file was last written"),
      (.zoneIsInferred, "the line names no zone: that of this machine, or of TZ; --timezone says another"),
      (.hourIsInferred, "the clock showed this hour twice: decided by the order of the lines"),
    ]
    let why = reasons.filter { record.marks.contains($0.mark) }.map(\.reason)
    put("time", record.time.rfc3339, why.isEmpty ? nil : why.joined(separator: "; "))
  }

  private mutating func putFields(_ record: borrowing Record) {
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      if field.key.hasPrefix("kata-log-parser-") { continue }
      put("field \(field.key.string)", field.value)
    }
  }

  private mutating func put(_ name: String, _ value: ByteSlice, _ why: String? = nil) {
    if !value.isEmpty { put(name, value.string, why) }
  }

  private mutating func put(_ name: String, _ value: String, _ why: String? = nil) {
    let padding = String(repeating: " ", count: max(1, 18 - name.count))
    text +=
      "  \(TerminalText.line(name))\(padding)\(TerminalText.line(value))\(why.map { "  (\($0))" } ?? "")\n"
  }

  private static func words(_ record: borrowing Record, _ shape: String) -> String {
    if record.marks.contains(.isRaw) { return "a line that matches no format: its text is the message" }
    return shape.isEmpty ? "a journal entry" : "\(shape): see formats/input/\(shape)"
  }

  private static func why(_ evidence: Owner.Evidence?) -> String? { evidence.map { "from \($0.rawValue)" } }
}
