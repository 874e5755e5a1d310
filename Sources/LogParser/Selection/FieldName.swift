import CommandLine

/// The message about a field that no record has.
enum FieldName {
  /// - Parameters:
  ///   - keys: the keys of fields that records have.
  ///   - known: the names of the fields that every record has.
  ///   - option: the option that named the field, if the rest of the message does not.
  ///   - isSelection: whether the message is only about selected records.
  static func unknown(
    _ name: String, _ keys: DistinctValues, known: [String], option: String = "", isSelection: Bool = false
  ) -> String {
    let guess = CommandLineParser<Void>.nearest(name, known + keys.names)
    let hint = guess.map { "; did you mean \"\($0)\"?" } ?? ""
    let extra = keys.list("extra field", "extra fields")
    return
      "no \(isSelection ? "selected " : "")record has the field \"\(name)\"\(option); found \(known.joined(separator: ", ")) and \(extra)\(hint)"
  }
}
