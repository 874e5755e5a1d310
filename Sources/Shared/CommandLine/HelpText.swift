/// Writes a command's help for a terminal.
package struct HelpText<Options> {
  private let command: CommandDescription<Options>
  private let width: Int

  /// - Parameter width: the columns of the terminal; clamped to 40 to 120.
  package init(_ command: CommandDescription<Options>, width: Int = 80) {
    self.command = command
    self.width = max(40, min(120, width))
  }

  /// What `-h` prints: each option in one line.
  package var short: String {
    var text = usage
    for (title, flags) in command.sections {
      text += "\n\(title):\n"
      for flag in flags {
        let synopsis = "  " + flag.synopsis
        let gap = synopsis.count < 32 ? String(repeating: " ", count: 32 - synopsis.count) : "  "
        text += "\(synopsis)\(gap)\(flag.summary)\n"
      }
    }
    return text + "\nMore: \(command.name) --help\n"
  }

  /// What `--help` prints: everything.
  package var long: String {
    var text = usage
    for paragraph in command.description { text += "\n" + wrap(paragraph, indent: 0) }
    for (title, flags) in command.sections {
      text += "\n\(title):\n"
      for flag in flags {
        text += "\n  \(flag.synopsis)\n"
        text += wrap(sentence(flag.summary) + (flag.detail.isEmpty ? "" : " " + flag.detail), indent: 10)
      }
    }
    text += "\nExamples:\n"
    for example in command.examples { text += "\n  # \(example.purpose)\n  \(example.command)\n" }
    text += "\nExit status:\n"
    for (code, meaning) in command.exitCodes { text += wrap("\(code)  \(meaning)", indent: 2) }
    if !command.files.isEmpty {
      text += "\nFiles:\n"
      for (path, meaning) in command.files { text += "  \(path)\n" + wrap(meaning, indent: 10) }
    }
    return text
  }

  private var usage: String {
    var text = "\(command.name): \(command.summary)\n\n"
    for (index, usage) in command.usages.enumerated() {
      text += (index == 0 ? "Usage: " : "       ") + "\(command.name) \(usage)\n"
    }
    return text
  }

  private func sentence(_ text: String) -> String { text + "." }

  /// Breaks lines between words.
  private func wrap(_ text: String, indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var result = ""
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent + line.count + 1 + word.count > width {
        result += margin + line + "\n"
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return result + margin + line + "\n"
  }
}
