import Bytes
import Glibc
import System

/// Requests for information about the command instead of a normal run.
package enum CommandRequest: Equatable, Sendable {
  case shortHelp, help, version
  /// One of the texts that are made from the table of flags: `man`, `complete-bash`, `complete-zsh`, `complete-fish`.
  case generated(String)
  /// A text of the command's own.
  case text(String)

  /// The options of every command. `path` is where the request is stored.
  package static func flags<Options>(
    _ path: WritableKeyPath<Options, CommandRequest?>, in section: String
  ) -> [Flag<Options>] {
    [
      Flag("version", "v", in: section, "Print the version and exit") { (options, text) throws(UsageError) in
        if text == "true" { options[keyPath: path] = .version }
      },
      Flag("help", in: section, "Print this help and exit; -h prints a shorter one") {
        (options, text) throws(UsageError) in if text == "true" { options[keyPath: path] = .help }
      },
      Flag(
        "generate", nil, .choice("WHAT", ["man", "complete-bash", "complete-zsh", "complete-fish"]),
        in: section,
        "Print the manual page or a completion script and exit"
      ) { (options, text) throws(UsageError) in options[keyPath: path] = .generated(text) },
    ]
  }
}

extension CommandDescription {
  /// Prints the requested text and returns the exit status. A reader that closes the output is not an error.
  package func answer(_ request: CommandRequest) -> Int32 {
    let columns = getenv("COLUMNS").flatMap { Int(String(cString: $0)) } ?? 80
    let text: String
    switch request {
    case .shortHelp: text = HelpText(self, width: columns).short
    case .help: text = HelpText(self, width: columns).long
    case .version: text = "\(name) \(ProductVersion.number) (commit \(ProductVersion.commit))\n"
    case .generated("man"): text = ManPage(self, version: ProductVersion.number).text
    case .generated("complete-bash"): text = ShellCompletion(self).bash
    case .generated("complete-zsh"): text = ShellCompletion(self).zsh
    case .generated: text = ShellCompletion(self).fish
    case .text(let own): text = own
    }
    do throws(SystemCallError) {
      try Array(text.utf8).withBytes { bytes throws(SystemCallError) in
        try FileDescriptor(borrowing: STDOUT_FILENO).writeAll(bytes, subject: "standard output")
      }
      return 0
    } catch {
      if error.code == EPIPE { return 0 }
      try? Array("\(name): \(error.description)\n".utf8).withBytes { bytes throws(SystemCallError) in
        try FileDescriptor(borrowing: STDERR_FILENO).writeAll(bytes, subject: "standard error")
      }
      return 1
    }
  }
}
