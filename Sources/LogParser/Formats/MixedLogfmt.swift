import Bytes

/// Logfmt among lines in other formats; its time may have any form and position.
enum MixedLogfmt {
  static let detector = Detector(
    shape: "logfmt", use: .always, firstBytes: nil
  ) { (line, context, record) throws(RecordProblem) in
    guard context.isMixed || context.rules.isLenient, TextRecord.looksLikeLogfmt(line) else { return .passed }
    // A time after a colon belongs to a record that grep has prefixed with the file's name.
    if context.rules.isLenient, line.range(of: ":time=") != nil { return .passed }
    return try context.claim(Wrapper(line), &record)
  }
}
