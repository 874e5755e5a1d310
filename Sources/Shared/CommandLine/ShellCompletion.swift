/// Writes completion scripts for a command.
package struct ShellCompletion<Options> {
  private let command: CommandDescription<Options>

  package init(_ command: CommandDescription<Options>) { self.command = command }

  private var function: String { "_" + command.name.map { $0 == "-" ? "_" : String($0) }.joined() }

  /// For bash, with nothing but bash's own functions.
  package var bash: String {
    var cases = ""
    for flag in command.flags {
      let names = (flag.letter.map { "-\($0)|" } ?? "") + "--\(flag.name)"
      switch flag.value {
      case .choice(_, let words):
        cases +=
          "    \(names)) COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$word\")); return ;;\n"
      case .directory: cases += "    \(names)) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n"
      case .file: cases += "    \(names)) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
      case .text: cases += "    \(names)) return ;;\n"
      case .none, .optional: break
      }
    }
    let names =
      command.flags.map { "--\($0.name)" } + command.flags.compactMap { flag in flag.letter.map { "-\($0)" } }
    return """
      # bash completion for \(command.name)
      \(function)() {
        local word=${COMP_WORDS[COMP_CWORD]} previous=
        [ "$COMP_CWORD" -gt 0 ] && previous=${COMP_WORDS[COMP_CWORD-1]}
        # Bash splits at the equals sign: --name=value is three words.
        if [ "$word" = "=" ]; then word=; fi
        if [ "$previous" = "=" ] && [ "$COMP_CWORD" -gt 1 ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
        COMPREPLY=()
        case $previous in
      \(cases)  esac
        case $word in
          -*) COMPREPLY=($(compgen -W '\(names.joined(separator: " "))' -- "$word")) ;;
          *) COMPREPLY=($(compgen -f -- "$word")) ;;
        esac
      }
      complete -o filenames -F \(function) \(command.name)

      """
  }

  package var zsh: String {
    var lines = "#compdef \(command.name)\n\n_arguments -s -S \\\n"
    for flag in command.flags {
      let summary = zshEscape(flag.summary)
      let star = flag.isRepeatable ? "*" : ""
      var action = ""
      switch flag.value {
      case .none: break
      case .text(let name): action = ":\(zshEscape(name)): "
      case .optional(let name, _): action = "::\(zshEscape(name)): "
      case .choice(let name, let words): action = ":\(zshEscape(name)):(\(words.joined(separator: " ")))"
      case .file(let name): action = ":\(zshEscape(name)):_files"
      case .directory(let name): action = ":\(zshEscape(name)):_files -/"
      }
      let mark: String
      switch flag.value {
      case .none: mark = ""
      case .optional: mark = "=-"
      default: mark = "="
      }
      lines += "  '\(star)--\(flag.name)\(mark)[\(summary)]\(action)' \\\n"
      if let letter = flag.letter {
        let joined: String
        switch flag.value {
        case .none: joined = ""
        case .optional: joined = "-"
        default: joined = "+"
        }
        lines += "  '\(star)-\(letter)\(joined)[\(summary)]\(action)' \\\n"
      }
    }
    return lines + "  '*:file:_files'\n"
  }

  private func zshEscape(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "'": result += "'\\''"
      case "[", "]", ":", "\\": result += "\\\(character)"
      default: result.append(character)
      }
    }
    return result
  }

  package var fish: String {
    var lines = "# fish completion for \(command.name)\n"
    for flag in command.flags {
      var line = "complete -c \(command.name) -l \(flag.name)"
      if let letter = flag.letter { line += " -s \(letter)" }
      switch flag.value {
      case .none, .optional: break
      case .text: line += " -x"
      case .choice(_, let words): line += " -x -a '\(words.joined(separator: " "))'"
      case .file: line += " -r -F"
      case .directory: line += " -x -a '(__fish_complete_directories)'"
      }
      lines += line + " -d '\(fishEscape(flag.summary))'\n"
    }
    return lines
  }

  private func fishEscape(_ text: String) -> String {
    text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
  }
}
