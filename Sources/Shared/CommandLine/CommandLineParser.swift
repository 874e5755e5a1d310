/// Parses a command line with a table of flags.
///
/// Long options have two dashes or, as in Go's `flag` package, one: `--name value`, `--name=value`,
/// `-name value`, `-name=value`. Letters follow one dash and may be joined: `-fq`, `-n5`. Options may stand
/// after operands; `--` ends them, and `-` is an operand.
package struct CommandLineParser<Options> {
  private let flags: [Flag<Options>]

  package init(_ flags: [Flag<Options>]) { self.flags = flags }

  /// Applies all options to `options` and returns the operands.
  package func parse(_ arguments: [String], into options: inout Options) throws(UsageError) -> [String] {
    var operands: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return operands + rest }
      if argument == "-" || !argument.hasPrefix("-") {
        operands.append(argument)
      } else {
        try parseOption(argument, &rest, &options)
      }
    }
    return operands
  }

  private func parseOption(
    _ argument: String, _ rest: inout ArraySlice<String>, _ options: inout Options
  ) throws(UsageError) {
    let isLong = argument.hasPrefix("--")
    let body = argument.dropFirst(isLong ? 2 : 1)
    let name = String(body.prefix { $0 != "=" })
    let value = name.count < body.count ? String(body.dropFirst(name.count + 1)) : nil
    if let flag = flags.first(where: { $0.name == name }) {
      return try apply(flag, shown: "--\(name)", value: value, &rest, &options)
    }
    if !isLong, let first = body.first, flags.contains(where: { $0.letter == first }) {
      return try parseLetters(argument, body, &rest, &options)
    }
    throw unknown(name, isLong: isLong)
  }

  /// Letters after one dash: those without a value may be followed by more.
  private func parseLetters(
    _ argument: String, _ letters: Substring, _ rest: inout ArraySlice<String>, _ options: inout Options
  ) throws(UsageError) {
    var left = letters
    while let letter = left.popFirst() {
      guard let flag = flags.first(where: { $0.letter == letter }) else {
        throw UsageError("unknown option -\(letter) in \(argument)")
      }
      if flag.takesValue {
        let joined = left.isEmpty ? nil : String(left.first == "=" ? left.dropFirst() : left)
        return try apply(flag, shown: "-\(letter)", value: joined, &rest, &options)
      }
      try flag.apply(&options, "true")
    }
  }

  private func apply(
    _ flag: Flag<Options>, shown: String, value: String?, _ rest: inout ArraySlice<String>,
    _ options: inout Options
  ) throws(UsageError) {
    do throws(UsageError) {
      switch flag.value {
      case .none:
        try flag.apply(&options, try boolean(value))
      case .optional(_, let standard):
        try flag.apply(&options, value ?? detachedValue(flag, &rest) ?? standard)
      case .choice(_, let choices):
        guard let text = value ?? rest.popFirst() else { throw missing(flag) }
        guard let choice = choices.contains(text) ? text : flag.otherSpelling(text) else {
          let guess = Self.nearest(text, choices).map { "; did you mean \($0)?" } ?? ""
          throw UsageError("\"\(text)\" is not one of \(choices.joined(separator: ", "))\(guess)")
        }
        try flag.apply(&options, choice)
      case .text, .file, .directory:
        guard let text = value ?? rest.popFirst() else { throw missing(flag) }
        try flag.apply(&options, text)
      }
    } catch {
      throw UsageError("\(shown): \(error.message)")
    }
  }

  /// Takes the next argument if it is the value of an option whose value is optional.
  private func detachedValue(_ flag: Flag<Options>, _ rest: inout ArraySlice<String>) -> String? {
    guard let next = rest.first, flag.takesNext?(next) ?? Self.isNegativeNumber(next) else { return nil }
    return rest.popFirst()
  }

  private static func isNegativeNumber(_ text: String) -> Bool {
    text.count > 1 && text.first == "-" && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private func missing(_ flag: Flag<Options>) -> UsageError {
    UsageError("a value is missing: \(flag.valueName ?? "VALUE")")
  }

  /// The spellings that Go's `strconv.ParseBool` knows.
  private func boolean(_ text: String?) throws(UsageError) -> String {
    switch text {
    case nil, "1", "t", "T", "true", "TRUE", "True": return "true"
    case "0", "f", "F", "false", "FALSE", "False": return "false"
    case let text?: throw UsageError("\"\(text)\" is neither true nor false")
    }
  }

  private func unknown(_ name: String, isLong: Bool) -> UsageError {
    let shown = (isLong ? "--" : "-") + name
    guard let guess = Self.nearest(name, flags.map(\.name)) else {
      return UsageError("unknown option \(shown)")
    }
    return UsageError("unknown option \(shown); did you mean --\(guess)?")
  }

  /// The name with the fewest edits from `text`, if it is near enough to be a plausible typo.
  package static func nearest(_ text: String, _ names: [String]) -> String? {
    if text.count < 2 || text.count > 64 { return nil }
    let limit = max(1, min(3, text.count / 3))
    let near = names.map { (name: $0, distance: distance(text, $0)) }.min { $0.distance < $1.distance }
    if let near, near.distance <= limit { return near.name }
    let longer = names.filter { $0.hasPrefix(text) }
    return longer.count == 1 ? longer[0] : nil
  }

  /// The number of characters to insert, delete, replace or swap with their neighbour.
  private static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
        row.append(least)
      }
      before = last
      last = row
    }
    return last[b.count]
  }
}
