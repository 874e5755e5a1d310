/// One option of a command: its names, its help and its effect. Parsing, `--help`, the man page and the completions are
/// all generated from it.
package struct Flag<Options> {
  /// The kind of an option's value.
  package enum Value {
    /// No value: the option turns it on, and `--name=false` turns it off.
    case none
    case text(String)
    /// One of a few words.
    case choice(String, [String])
    case file(String)
    case directory(String)
    /// An optional value with its default; given as `--name=VALUE` or directly after the letter.
    case optional(String, default: String)
  }

  /// The long name, without dashes.
  package let name: String
  package let letter: Character?
  package let value: Value
  /// The heading under which help lists it.
  package let section: String
  /// One line without a full stop: an imperative, or the noun that the option sets.
  package let summary: String
  /// The rest of the text in `--help` and the man page: meaning, default, range, example. May be empty.
  package let detail: String
  /// Whether it may be given several times, each adding to the ones before.
  package let isRepeatable: Bool
  /// The choice for another accepted spelling; nil for any other word.
  let otherSpelling: (String) -> String?
  /// Whether the next argument is the value of an option whose value is optional. Without it, only a number like -1 is,
  /// which cannot be an option.
  package let takesNext: ((String) -> Bool)?
  /// Takes the value (`true` or `false` for an option without one) into the options.
  package let apply: (inout Options, String) throws(UsageError) -> Void

  package init(
    _ name: String, _ letter: Character? = nil, _ value: Value = .none, in section: String,
    repeatable isRepeatable: Bool = false, _ summary: String, detail: String = "",
    otherSpelling: @escaping (String) -> String? = { _ in nil },
    takesNext: ((String) -> Bool)? = nil, apply: @escaping (inout Options, String) throws(UsageError) -> Void
  ) {
    self.name = name
    self.letter = letter
    self.value = value
    self.section = section
    self.summary = summary
    self.detail = detail
    self.isRepeatable = isRepeatable
    self.otherSpelling = otherSpelling
    self.takesNext = takesNext
    self.apply = apply
  }

  /// An option without a value.
  package init(
    _ name: String, _ letter: Character? = nil, in section: String, _ summary: String, detail: String = "",
    sets path: WritableKeyPath<Options, Bool>
  ) {
    self.init(name, letter, .none, in: section, summary, detail: detail) {
      (options, text) throws(UsageError) in options[keyPath: path] = text == "true"
    }
  }

  package var takesValue: Bool {
    if case .none = value { return false }
    return true
  }

  /// The placeholder for the value in help.
  package var valueName: String? {
    switch value {
    case .none: nil
    case .text(let name), .choice(let name, _), .file(let name), .directory(let name): name
    case .optional(let name, _): name
    }
  }

  /// The option as help shows it: `-t, --identifier ID`.
  package var synopsis: String {
    let names = (letter.map { "-\($0), " } ?? "    ") + "--\(name)"
    switch value {
    case .none: return names
    case .optional(let value, _): return "\(names)[=\(value)]"
    default: return "\(names) \(valueName ?? "")"
    }
  }
}

/// An error in the command line: the problem, in lower case, without a full stop.
package struct UsageError: Error {
  package var message: String
  package init(_ message: String) { self.message = message }
}

/// A command: what it is, and all its options.
package struct CommandDescription<Options> {
  package struct Example {
    package var purpose: String
    package var command: String
    package init(_ purpose: String, _ command: String) {
      self.purpose = purpose
      self.command = command
    }
  }

  package var name: String
  /// One line, without a full stop.
  package var summary: String
  /// What follows the name in a call, one entry for each way to call it.
  package var usages: [String]
  /// Paragraphs.
  package var description: [String]
  package var flags: [Flag<Options>]
  package var examples: [Example]
  package var exitCodes: [(code: Int, meaning: String)]
  package var files: [(path: String, meaning: String)]
  package var seeAlso: [String]

  package init(
    name: String, summary: String, usages: [String], description: [String], flags: [Flag<Options>],
    examples: [Example], exitCodes: [(code: Int, meaning: String)], files: [(path: String, meaning: String)],
    seeAlso: [String]
  ) {
    self.name = name
    self.summary = summary
    self.usages = usages
    self.description = description
    self.flags = flags
    self.examples = examples
    self.exitCodes = exitCodes
    self.files = files
    self.seeAlso = seeAlso
  }

  /// The sections in the order in which the flags name them first, with their flags.
  package var sections: [(title: String, flags: [Flag<Options>])] {
    var result: [(title: String, flags: [Flag<Options>])] = []
    for flag in flags {
      if let index = result.firstIndex(where: { $0.title == flag.section }) {
        result[index].flags.append(flag)
      } else {
        result.append((flag.section, [flag]))
      }
    }
    return result
  }
}
