import Bytes

/// Logfmt among lines of other shapes, whose time may have any form and stand anywhere.
enum MixedLogfmt {
  static let detector = Detector(
    shape: "logfmt", use: .always, firstBytes: nil
  ) { (line, context, record) throws(RecordProblem) in
    guard context.isMixed || context.rules.isLenient, TextRecord.looksLikeLogfmt(line) else { return .passed }
    // A time behind a colon is that of a record which a search has put the file's name before.
    if context.rules.isLenient, line.range(of: ":time=") != nil { return .passed }
    return try context.claim(Wrapper(line), &record)
  }
}
