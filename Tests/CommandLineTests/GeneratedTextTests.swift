import CommandLine
import System
import Testing

/// What is generated from a small command that has every kind of option.
struct GeneratedTextTests {
  private struct Options { var isOn = false }

  private let command = CommandDescription<Options>(
    name: "the-tool", summary: "Does a thing", usages: ["[OPTION]... FILE", "--version"],
    description: ["A first paragraph.", ".A second one's first character means nothing."],
    flags: [
      Flag("on", "o", in: "Switches", "Turn it on", sets: \.isOn),
      Flag(
        "mode", nil, .choice("MODE", ["fast", "slow"]), in: "Values", "Set the [mode]",
        detail: "It's slow by default."
      ) { (_, _) throws(UsageError) in },
      Flag("limit", "L", .optional("N", default: "10"), in: "Values", "Limit it") {
        (_, _) throws(UsageError) in
      },
      Flag("path", "p", .file("FILE"), in: "Values", repeatable: true, "Add a file") {
        (_, _) throws(UsageError) in
      },
    ],
    examples: [.init("A thing", "the-tool a\\b")], exitCodes: [(0, "All is well.")],
    files: [("/etc/the-tool", "Nothing.")], seeAlso: ["other(1)"])

  @Test func shortHelpHasALineForEachOption() {
    #expect(
      HelpText(command).short == """
        the-tool: Does a thing

        Usage: the-tool [OPTION]... FILE
               the-tool --version

        Switches:
          -o, --on                      Turn it on

        Values:
              --mode MODE               Set the [mode]
          -L, --limit[=N]               Limit it
          -p, --path FILE               Add a file

        More: the-tool --help

        """)
  }

  @Test(arguments: [0, 40, 80, 120, 1000]) func longHelpFitsTheWidth(_ width: Int) {
    let text = HelpText(command, width: width).long
    for line in text.split(separator: "\n") { #expect(line.count <= max(40, min(120, width))) }
    for part in ["Set the [mode]. It's slow", "Examples:", "Exit status:", "Files:", "/etc/the-tool"] {
      #expect(text.split { " \n".contains($0) }.joined(separator: " ").contains(part))
    }
  }

  @Test func manualPageIsOfTheLanguageOfMan() {
    let text = ManPage(command, version: "1.2").text
    #expect(text.hasPrefix(".TH THE\\-TOOL 1 \"\" \"the\\-tool 1.2\" \"User Commands\"\n"))
    #expect(text.contains(".SH NAME\nthe\\-tool \\- Does a thing\n"))
    // A text that only begins like a request is not one.
    #expect(text.contains("\n\\&.A second one\\(aqs first"))
    #expect(
      text.contains(".TP\n\\fB\\-\\-mode\\fR \\fIMODE\\fR\nSet the [mode]. It\\(aqs slow by default.\n"))
    #expect(text.contains(".TP\n\\fB\\-L\\fR, \\fB\\-\\-limit\\fR[=\\fIN\\fR]\nLimit it.\n"))
    #expect(text.contains(".nf\nthe\\-tool a\\eb\n.fi\n"))
    #expect(text.hasSuffix(".SH SEE ALSO\nother(1)\n"))
  }

  @Test func bashCompletesWordsFilesAndNames() {
    let text = ShellCompletion(command).bash
    #expect(text.contains("    --mode) COMPREPLY=($(compgen -W 'fast slow' -- \"$word\")); return ;;\n"))
    #expect(text.contains("    -p|--path) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"))
    #expect(text.contains("compgen -W '--on --mode --limit --path -o -L -p' -- \"$word\""))
    #expect(text.hasSuffix("complete -o filenames -F _the_tool the-tool\n"))
  }

  @Test func zshGetsEscapedSummaries() {
    #expect(
      ShellCompletion(command).zsh == """
        #compdef the-tool

        _arguments -s -S \\
          '--on[Turn it on]' \\
          '-o[Turn it on]' \\
          '--mode=[Set the \\[mode\\]]:MODE:(fast slow)' \\
          '--limit=-[Limit it]::N: ' \\
          '-L-[Limit it]::N: ' \\
          '*--path=[Add a file]:FILE:_files' \\
          '*-p+[Add a file]:FILE:_files' \\
          '*:file:_files'

        """)
  }

  @Test func fishGetsALineForEachOption() {
    #expect(
      ShellCompletion(command).fish == """
        # fish completion for the-tool
        complete -c the-tool -l on -s o -d 'Turn it on'
        complete -c the-tool -l mode -x -a 'fast slow' -d 'Set the [mode]'
        complete -c the-tool -l limit -s L -d 'Limit it'
        complete -c the-tool -l path -s p -r -F -d 'Add a file'

        """)
  }
}
