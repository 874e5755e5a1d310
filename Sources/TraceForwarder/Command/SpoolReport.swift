import Encodings
import Logging

/// The reports of `kata-trace-forwarder spool`.
extension SpoolInspection {
  /// A place that is damaged: a file and, in a segment, an offset.
  struct Damage {
    var path: String
    var offset: Int?
    var bytes: Int?
    var records: Int?
    var problem: String
  }

  /// Everything that is wrong.
  var damage: [Damage] {
    var result: [Damage] = []
    for file in segments + setAside + resent {
      if let problem = file.problem {
        result.append(Damage(path: file.path, problem: problem))
        continue
      }
      for gap in file.survey.gaps where gap.kind != .torn {
        let problem =
          gap.kind == .rest
          ? "damaged; what follows cannot be told apart from data that a guest sent" : "damaged"
        result.append(
          Damage(
            path: file.path, offset: gap.range.lowerBound, bytes: gap.range.count, records: gap.records,
            problem: problem))
      }
    }
    return result + problems.map { Damage(path: $0.path, problem: $0.problem) }
  }

  // MARK: list

  static func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  var listText: String {
    let records = segments.reduce(0) { $0 + $1.survey.records }
    let bytes = segments.reduce(0) { $0 + $1.size }
    var text = "spool \(directory.path): \(Self.counted(records, "span")), \(Self.counted(bytes, "byte")), "
    text += "\(Self.counted(segments.count, "segment"))\n"
    for file in segments { text += "  \(Self.line(file))\n" }
    text += exporters.isEmpty ? "exporters: none has a position\n" : "exporters:\n"
    for exporter in exporters {
      text += "  \(exporter.name): \(Self.counted(exporter.waiting.spans, "span")) wait"
      text += " (\(Self.counted(exporter.waiting.bytes, "byte"))), \(Self.place(exporter.reading))\n"
    }
    let aside = setAside.reduce(0) { $0 + $1.survey.records }
    text +=
      "set aside: \(Self.counted(aside, "span")), \(Self.counted(setAside.reduce(0) { $0 + $1.size }, "byte"))\n"
    for (refusal, count) in sortedRefusals {
      text += "  \(refusal.exporter): \(Self.counted(count, "span")), status \(refusal.status): "
      text += "\(StructuredLog.printable(refusal.reason))\n"
    }
    let again = resent.reduce(0) { $0 + $1.survey.records }
    if again > 0 { text += "to be delivered again: \(Self.counted(again, "span"))\n" }
    for file in directory.asideFiles() {
      text += "kept because it is damaged: \(file.name), \(Self.counted(file.size, "byte"))\n"
    }
    return text
  }

  private static func line(_ file: File) -> String {
    let name = file.path.split(separator: "/").last.map(String.init) ?? file.path
    guard let framing = file.framing else { return "\(name): \(file.problem ?? "no records yet")" }
    var text = "\(name): version \(framing.version), \(counted(file.survey.records, "span")), "
    text += counted(file.size, "byte")
    if file.survey.lost > 0 { text += ", \(file.survey.lost) damaged" }
    if file.survey.tornBytes > 0 { text += ", \(counted(file.survey.tornBytes, "byte")) not written whole" }
    return text
  }

  private static func place(_ reading: PositionFile.Reading) -> String {
    switch reading {
    case .position(let position): "at segment \(position.segment), offset \(position.offset)"
    case .unchecked(let position): "at segment \(position.segment), offset \(position.offset) (version 1)"
    case .missing: "at the oldest span"
    case .damaged: "its position is damaged: it starts at the oldest span"
    case .unreadable(let error): "its position cannot be read: \(error)"
    }
  }

  private var sortedRefusals: [(Refusal, Int)] {
    refusals.sorted { a, b in
      (a.key.exporter, a.key.status, a.key.reason) < (b.key.exporter, b.key.status, b.key.reason)
    }.map { ($0.key, $0.value) }
  }

  var listJSON: String {
    var out = JSONWriter()
    out.object { out in
      out.string("directory", directory.path)
      out.array("segments", segments) { out, file in
        out.string("file", file.path)
        out.number("version", file.framing?.version ?? 0)
        out.number("bytes", file.size)
        out.number("spans", file.survey.records)
        out.number("damaged", file.survey.lost)
        out.number("torn_bytes", file.survey.tornBytes)
        if let problem = file.problem { out.string("problem", problem) }
      }
      out.array("exporters", exporters) { out, exporter in
        out.string("name", exporter.name)
        switch exporter.reading {
        case .position(let position), .unchecked(let position):
          out.number("segment", Int(clamping: position.segment))
          out.number("offset", position.offset)
        case .missing, .damaged, .unreadable: out.string("problem", Self.place(exporter.reading))
        }
        out.number("waiting_spans", exporter.waiting.spans)
        out.number("waiting_bytes", exporter.waiting.bytes)
      }
      out.array("set_aside", sortedRefusals) { out, entry in
        out.string("exporter", entry.0.exporter)
        out.number("status", entry.0.status)
        out.string("reason", entry.0.reason)
        out.number("spans", entry.1)
      }
      out.number("set_aside_spans", setAside.reduce(0) { $0 + $1.survey.records })
      out.number("set_aside_bytes", setAside.reduce(0) { $0 + $1.size })
      out.number("resend_spans", resent.reduce(0) { $0 + $1.survey.records })
      out.array("kept_damaged", directory.asideFiles()) { out, file in
        out.string("file", directory.path(file.name))
        out.number("bytes", file.size)
      }
    }
    return out.text
  }

  // MARK: verify

  func verifyText(_ damage: [Damage]) -> String {
    var text = ""
    for entry in damage {
      text += entry.path + (entry.offset.map { ":\($0)" } ?? "") + ": \(entry.problem)"
      if let bytes = entry.bytes, let records = entry.records {
        text += " (\(Self.counted(bytes, "byte")), \(Self.counted(records, "span")) lost at least)"
      }
      text += "\n"
    }
    for file in segments + setAside + resent where file.survey.tornBytes > 0 {
      text +=
        "\(file.path): \(Self.counted(file.survey.tornBytes, "byte")) at the end are an incomplete record\n"
    }
    let good = (segments + setAside + resent).reduce(0) { $0 + $1.survey.records }
    let files = segments.count + setAside.count + resent.count
    return text
      + "\(Self.counted(good, "span")) in \(Self.counted(files, "file")) are good, \(Self.counted(damage.count, "place")) damaged\n"
  }

  func verifyJSON(_ damage: [Damage]) -> String {
    var out = JSONWriter()
    out.object { out in
      out.string("directory", directory.path)
      out.number("good_spans", (segments + setAside + resent).reduce(0) { $0 + $1.survey.records })
      out.array("damage", damage) { out, entry in
        out.string("file", entry.path)
        if let offset = entry.offset { out.number("offset", offset) }
        if let bytes = entry.bytes { out.number("bytes", bytes) }
        if let records = entry.records { out.number("lost_spans", records) }
        out.string("problem", entry.problem)
      }
    }
    return out.text
  }
}
