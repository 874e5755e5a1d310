import System

/// Writes a command's manual page for man(1), in the language of man(7).
package struct ManPage<Options> {
  private let command: CommandDescription<Options>
  private let version: String

  package init(_ command: CommandDescription<Options>, version: String) {
    self.command = command
    self.version = version
  }

  package var text: String {
    var page = ".TH \(upper(command.name)) 1 \"\" \"\(escape(command.name)) \(version)\" \"User Commands\"\n"
    page += ".nh\n.ad l\n.SH NAME\n\(escape(command.name)) \\- \(escape(command.summary))\n.SH SYNOPSIS\n"
    for (index, usage) in command.usages.enumerated() {
      page += (index == 0 ? "" : ".br\n") + ".B \(escape(command.name))\n\(line(usage))\n"
    }
    page += ".SH DESCRIPTION\n"
    for (index, paragraph) in command.description.enumerated() {
      page += (index == 0 ? "" : ".PP\n") + line(paragraph) + "\n"
    }
    page += ".SH OPTIONS\n"
    for (title, flags) in command.sections {
      page += ".SS \(escape(title))\n"
      for flag in flags { page += option(flag) }
    }
    page += ".SH EXAMPLES\n"
    for example in command.examples {
      page += ".PP\n\(line(example.purpose)):\n.PP\n.RS\n.nf\n\(line(example.command))\n.fi\n.RE\n"
    }
    page += ".SH EXIT STATUS\n"
    for (code, meaning) in command.exitCodes { page += ".TP\n.B \(code)\n\(line(meaning))\n" }
    if !command.files.isEmpty {
      page += ".SH FILES\n"
      for (path, meaning) in command.files { page += ".TP\n.I \(escape(path))\n\(line(meaning))\n" }
    }
    page += ".SH SEE ALSO\n" + command.seeAlso.map { line($0) }.joined(separator: ",\n") + "\n"
    return page
  }

  private func option(_ flag: Flag<Options>) -> String {
    var names = flag.letter.map { "\\fB\\-\($0)\\fR, " } ?? ""
    names += "\\fB\\-\\-\(escape(flag.name))\\fR"
    switch flag.value {
    case .none: break
    case .optional(let value, _): names += "[=\\fI\(escape(value))\\fR]"
    default: names += " \\fI\(escape(flag.valueName ?? ""))\\fR"
    }
    let words = flag.summary + "." + (flag.detail.isEmpty ? "" : " " + flag.detail)
    return ".TP\n\(names)\n\(line(words))\n"
  }

  private func upper(_ text: String) -> String { escape(text.uppercased()) }

  /// A line of text: if it begins with a control character of the language, an empty word is put before it.
  private func line(_ text: String) -> String {
    let escaped = escape(text)
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
  }

  private func escape(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "'": result += "\\(aq"
      case "`": result += "\\(ga"
      case "^": result += "\\(ha"
      case "~": result += "\\(ti"
      default: result.append(character)
      }
    }
    return result
  }
}
