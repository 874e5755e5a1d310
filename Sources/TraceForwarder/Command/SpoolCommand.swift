import Bytes
import CLinux
import CommandLine
import Glibc
import System

/// `kata-trace-forwarder spool`: inspects a spool and its set-aside spans, whether or not a forwarder uses it.
///
/// Everything but `resend` only reads. `resend` renames files to where the forwarder looks for them, so that it needs
/// no lock and disturbs no other process.
struct SpoolCommand {
  enum Action: String, CaseIterable {
    case list, verify, export, resend
  }

  enum Format: String, CaseIterable {
    case otlp = "otlp-json"
    case jaeger = "jaeger-json"
  }

  struct Options {
    var isJSON = false
    var exportsSetAside = false
    var format = Format.otlp
  }

  static let usages = [
    "spool list [--json] [DIR]", "spool verify [--json] [DIR]",
    "spool export [--set-aside] [--format FORMAT] [DIR]", "spool resend [DIR]",
  ]

  let action: Action
  let directory: String
  let options: Options

  /// Runs the arguments after the word `spool`, and returns the exit status.
  static func main(_ arguments: [String]) -> Int32 {
    var settings = ForwarderSettings()
    let command: SpoolCommand
    do throws(UsageError) {
      if arguments.contains("-h") { settings.request = .shortHelp }
      let flags =
        ForwarderFlags.spoolCommand + ForwarderFlags.spool.filter { $0.name == "spool-dir" }
        + CommandRequest.flags(\.request, in: "Other")
      let operands = try CommandLineParser(flags).parse(arguments.filter { $0 != "-h" }, into: &settings)
      if let request = settings.request { return ForwarderCommand.description.answer(request) }
      command = try SpoolCommand(operands, settings)
    } catch {
      ForwarderCommand.say(
        "kata-trace-forwarder spool: \(error.message)\nTry kata-trace-forwarder --help.\n")
      return 2
    }
    do throws(SystemCallError) { return try command.run() } catch {
      // A reader that stops early is not an error.
      if error.code == EPIPE, error.subject == Self.output { return 0 }
      ForwarderCommand.say("kata-trace-forwarder spool: \(error.description)\n")
      return 1
    }
  }

  static let output = "standard output"

  private init(_ operands: [String], _ settings: ForwarderSettings) throws(UsageError) {
    let actions = Action.allCases.map(\.rawValue).joined(separator: ", ")
    guard let word = operands.first else { throw UsageError("an action is missing: \(actions)") }
    guard let action = Action(rawValue: word) else {
      throw UsageError("\"\(word)\" is not one of \(actions)")
    }
    guard operands.count <= 2 else {
      throw UsageError("unexpected argument \"\(operands[2])\": give one directory")
    }
    if operands.count == 2, settings.spoolDirectory != nil {
      throw UsageError("the directory is given twice: leave out --spool-dir or \"\(operands[1])\"")
    }
    self.action = action
    options = settings.spool
    directory = operands.dropFirst().first ?? settings.spoolDirectory ?? ForwarderSettings.standardSpool
    let isExport = action == .export
    if options.exportsSetAside, !isExport { throw UsageError("--set-aside belongs to spool export") }
    if settings.spoolOption == "--format", !isExport { throw UsageError("--format belongs to spool export") }
    if options.isJSON, isExport || action == .resend {
      throw UsageError("--json belongs to spool list and spool verify")
    }
  }

  private func run() throws(SystemCallError) -> Int32 {
    switch action {
    case .list:
      let inspection = try SpoolInspection(directory)
      try Self.print(options.isJSON ? inspection.listJSON : inspection.listText)
      return 0
    case .verify:
      let inspection = try SpoolInspection(directory)
      let damage = inspection.damage
      try Self.print(options.isJSON ? inspection.verifyJSON(damage) : inspection.verifyText(damage))
      return damage.isEmpty ? 0 : 1
    case .export: return try SpoolExport(try SpoolInspection(directory), options).run()
    case .resend: return try resend()
    }
  }

  static func print(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    try FileDescriptor(borrowing: STDOUT_FILENO).writeAll(bytes, subject: output)
  }

  static func print(_ text: String) throws(SystemCallError) {
    try Array(text.utf8).withBytes { bytes throws(SystemCallError) in try print(bytes) }
  }

  /// Moves all files of spans that were set aside to where the forwarder takes them from.
  private func resend() throws(SystemCallError) -> Int32 {
    // The directory belongs to a user, who must not be able to misdirect root.
    let aside = try CheckedDirectory("\(directory)/set-aside")
    guard aside.isComplete else {
      try Self.print("no spans are set aside in \(directory)\n")
      return 0
    }
    let names = try DirectoryListing.names(in: aside.path).filter { SpoolFormat.segment(fileName: $0) != nil }
      .sorted()
    let subject = "\(directory)/set-aside"
    try aside.asOwner { () throws(SystemCallError) in
      if !names.isEmpty, mkdirat(aside.file.number, "resend", 0o700) != 0, errno != EEXIST {
        throw SystemCallError("mkdir", "\(subject)/resend")
      }
      for name in names {
        let target = "resend/\(name)"
        let code = renameat2(
          aside.file.number, name, aside.file.number, target, UInt32(kata_rename_noreplace))
        // The forwarder itself may have deleted it to make room.
        if code != 0, errno != ENOENT { throw SystemCallError("rename to \(target)", "\(subject)/\(name)") }
      }
    }
    try Self.print(
      names.isEmpty
        ? "no spans are set aside in \(directory)\n"
        : "\(names.count) file\(names.count == 1 ? "" : "s") will be delivered again: by the forwarder within a second, or when it starts\n"
    )
    return 0
  }
}
