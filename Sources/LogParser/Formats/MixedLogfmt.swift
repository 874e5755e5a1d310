/// Logfmt among lines of other shapes, whose time may have any form and stand anywhere.
enum MixedLogfmt {
  static let detector = Detector(
    shape: "logfmt", use: .always, firstBytes: nil
  ) { (line, context, record) throws(RecordProblem) in
    guard context.isMixed || context.rules.isLenient, TextRecord.looksLikeLogfmt(line) else { return .passed }
    return try context.claim(Wrapper(line), &record)
  }
}
