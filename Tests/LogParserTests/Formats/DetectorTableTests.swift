import Bytes
import Foundation
import Testing

@testable import LogParser

/// The order of the detectors, with each line of the samples in `formats/input`.
struct DetectorTableTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../formats/input").standardized.path

  private static let shapes = (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []

  /// Shapes that lines of another shape's samples have as well: records that stand among them.
  private static let neighbours: [String: Set<String>] = [
    "console": ["json"], "journalctl": ["syslog"], "kubernetes-events": ["json"],
  ]

  private static func lines(of shape: String) throws -> [String] {
    let valid = "\(folder)/\(shape)/valid"
    return try FileManager.default.contentsOfDirectory(atPath: valid).sorted()
      .filter { !$0.hasSuffix(".ndjson") }
      .flatMap { name in
        let bytes = FileManager.default.contents(atPath: "\(valid)/\(name)") ?? Data()
        return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
      }
  }

  /// The shape that the line is taken for, in an input of which nothing is known but that it is a mixed one; nil when
  /// no row takes it.
  private func shape(
    of line: String, _ rows: [Detector] = DetectorTable.rows, isLenient: Bool = true
  ) throws -> String? {
    var rules = ReadingRules()
    rules.isLenient = isLenient
    rules.allowsMissingFields = isLenient
    var record = Record()
    let text = record.arena.copy(line)
    if LogfmtRecord.begins(text) { return "logfmt" }
    let reader = TextRecord(rules: rules, reference: Timestamp(seconds: 1_772_755_200))
    var context = LineContext(text: reader, isForced: false)
    context.isMixed = true
    context.keepsHeads = true
    var row = 0
    let table = DetectorTable(.auto, rows: rows)
    if case .passed = try table.read(text, &context, into: &record, by: &row) { return nil }
    return rows[row].shape
  }

  @Test(arguments: DetectorTableTests.shapes)
  func sampleIsReadAsItsOwnFormat(_ folder: String) throws {
    let expected = Self.neighbours[folder, default: []].union([folder])
    var own = 0
    for line in try Self.lines(of: folder) {
      guard let shape = try shape(of: line) else { continue }
      #expect(expected.contains(shape), "\(line)")
      if shape == folder { own += 1 }
    }
    #expect(own > 0)
  }

  @Test(arguments: DetectorTableTests.shapes)
  func firstBytesExcludeNoLine(_ folder: String) throws {
    let open = DetectorTable.rows.map { row in
      Detector(shape: row.shape, use: row.use, firstBytes: nil, read: row.read)
    }
    let lines = try Self.lines(of: folder)
    #expect(!lines.isEmpty)
    for line in lines { #expect(try shape(of: line) == shape(of: line, open), "\(line)") }
  }

  @Test func everyShapeHasAFolderAndEveryFolderAShape() {
    #expect(Set(DetectorTable.rows.map(\.shape)) == Set(Self.shapes))
  }

  @Test func everyFormatThatCanBeChosenHasARow() {
    let forced = DetectorTable.rows.flatMap { row -> [InputFormat] in
      if case .auto(let formats) = row.use { formats } else { [] }
    }
    #expect(Set(forced) == Set(InputFormat.allCases).subtracting([.auto, .logfmt]))
  }

  @Test(arguments: ["", "plain words", "{", "{\"a\":1}", "-- ", "1", "<", "_X=1", "I0305", "type"])
  func noRowTakesOtherLines(_ line: String) throws { #expect(try shape(of: line, isLenient: false) == nil) }

  /// A format that was chosen leaves the lines of the others.
  @Test func chosenFormatIgnoresOtherFormats() throws {
    var record = Record()
    let reader = TextRecord(rules: ReadingRules(), reference: Timestamp(seconds: 1_772_755_200))
    var context = LineContext(text: reader, isForced: true)
    var row = 0
    let line = record.arena.copy("2026-03-05T05:01:55Z stdout F text")
    guard case .passed = try DetectorTable(.docker).read(line, &context, into: &record, by: &row) else {
      return #expect(Bool(false), "a line of CRI is not Docker's")
    }
    guard
      case .part(isPartial: false) = try DetectorTable(.cri).read(line, &context, into: &record, by: &row)
    else { return #expect(Bool(false), "it is CRI's") }
  }
}
