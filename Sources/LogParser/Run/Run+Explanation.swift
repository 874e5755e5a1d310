import Bytes

extension Run {
  /// Explains how one line of an input is read.
  func explain(_ wanted: ExplainedLine, _ inputs: InputList) throws(Failure) {
    var source = try RecordSource(
      options, diagnostics, inputs, isFollowed: false, tally: tally, attribution: attribution)
    defer { statistics.add(source.statistics) }
    guard let input = inputs.items.firstIndex(where: { wanted.isIn($0.name) || wanted.isIn($0.path) }) else {
      throw .message("--explain \(wanted): no such input; name the file as it is given on the command line")
    }
    let name = inputs.items[input].name
    var record = Record()
    var found: RecordExplanation?
    var lines: UInt64 = 0
    // Records come in the order of the input, except for lines that waited for a time, so all are checked.
    while case .record = try source.next(into: &record) {
      guard record.input == input else { continue }
      lines = max(lines, source.lineCount)
      if record.line > wanted.line { if found != nil { break } else { continue } }
      found = RecordExplanation(
        record, source.owner, place: "\(name):\(wanted.line)", asked: wanted.line, shape: source.shape)
      if record.line == wanted.line { break }
    }
    guard let found, lines >= wanted.line else {
      throw .message("\(name):\(wanted.line): there is no record; the last one ends in line \(lines)")
    }
    try writeReport(found.text)
  }
}
