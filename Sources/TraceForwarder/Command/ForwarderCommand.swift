import Bytes
import CommandLine
import Glibc
import Logging
import System

/// The command line of `kata-trace-forwarder`.
package enum ForwarderCommand {
  /// Runs the command with these arguments (without the program's name), and returns the exit status.
  package static func main(_ arguments: [String]) -> Int32 {
    // A peer or a reader that disconnects must not end the process: the write fails instead.
    signal(SIGPIPE, SIG_IGN)
    // Nor must a file that exceeds the size limit.
    signal(SIGXFSZ, SIG_IGN)
    if arguments.first == SandboxHelper.argument { return SandboxHelper.main(Array(arguments.dropFirst())) }
    if arguments.first == "spool" { return SpoolCommand.main(Array(arguments.dropFirst())) }
    let isDemo = arguments.first == "demo"
    var settings = ForwarderSettings()
    var options: ForwarderOptions
    do throws(UsageError) {
      if arguments.contains("-h") { settings.request = .shortHelp }
      let operands = try CommandLineParser(ForwarderFlags.all).parse(
        arguments.dropFirst(isDemo ? 1 : 0).filter { $0 != "-h" }, into: &settings)
      if let request = settings.request { return description.answer(request) }
      if let operand = operands.first {
        throw UsageError(
          "unexpected argument \"\(operand)\": only options are accepted, with demo or spool before them")
      }
      options = try settings.resolved(isDemo: isDemo)
    } catch {
      say("kata-trace-forwarder: \(error.message)\nTry kata-trace-forwarder --help.\n")
      return 2
    }
    let log = StructuredLog(
      level: options.logLevel, program: "kata-trace-forwarder", source: "trace-forwarder")
    if isDemo { return Demo(options, log, keepsSpool: settings.spoolDirectory != nil).run() }
    guard options.spoolIsTemporary else { return Forwarder(options, log).run() }
    do throws(SystemCallError) {
      let directory = try TemporaryDirectory()
      options.spool.directory = directory.path
      return withExtendedLifetime(directory) { Forwarder(options, log).run() }
    } catch {
      log.error("a temporary directory cannot be made", ["error": error.description])
      return 1
    }
  }

  static func say(_ text: String) {
    try? Array(text.utf8).withBytes { bytes throws(SystemCallError) in
      try FileDescriptor(borrowing: STDERR_FILENO).writeAll(bytes, subject: "standard error")
    }
  }

  static var description: CommandDescription<ForwarderSettings> {
    CommandDescription(
      name: "kata-trace-forwarder", summary: "receive, store and relay the trace spans of Kata Containers",
      usages: ["[OPTION...]", "demo [OPTION...]"] + SpoolCommand.usages,
      description: [
        "kata-trace-forwarder runs on the host beside the Kata runtime. It receives spans from guest agents over VSOCK and hybrid VSOCK, and from the runtime and others as Jaeger Thrift and OTLP over HTTP. It writes each span to a spool on disk, and from there to any number of exporters, each at its own pace. While a collector is unreachable, spans wait in the spool.",
        "Without an exporter it answers Jaeger's query API itself and shows traces in a browser, at http://127.0.0.1:16686.",
        "demo does the same in a temporary directory with a made-up trace of one sandbox, and prints the address of the page; end it with Ctrl-C.",
        "spool inspects a spool and its set-aside spans, whether or not a forwarder uses it. spool list prints the segments, the position of each exporter, and the set-aside spans; spool verify reads everything and reports damage; spool export writes the spans to standard output; spool resend delivers set-aside spans again, to all destinations: by the running forwarder within a second, or by the next one when it starts. DIR is --spool-dir by default.",
        "Guests are not trusted: what they send is checked, bounded and counted, and bad input costs at most their own connection.",
      ],
      flags: ForwarderFlags.all,
      examples: [
        .init(
          "Show the traces of all sandboxes, under QEMU and Cloud Hypervisor, in a browser",
          "kata-trace-forwarder --socket-path-template '/run/vc/vm/{ID}/clh.sock'"),
        .init(
          "Relay everything to a collector, and write one file per trace",
          "kata-trace-forwarder --otlp-endpoint http://collector:4318 --jaeger-json /var/lib/kata-traces"),
        .init("Print what agents send", "kata-trace-forwarder --dump-only"),
        .init(
          "List spans that wait in the spool, and spans that were set aside",
          "kata-trace-forwarder spool list"),
        .init("Check how it is doing", "curl -s http://127.0.0.1:9464/metrics"),
      ],
      exitCodes: [
        (0, "It was told to stop, and everything received is delivered."),
        (1, "It could not start or continue, or undelivered spans wait in the spool."),
        (2, "The command line was wrong; nothing was done."),
      ],
      files: [
        (
          "/var/lib/kata-trace-forwarder/spool",
          "The spool, if root starts the forwarder without --spool-dir."
        ),
        ("/var/lib/kata-trace-forwarder/spool/set-aside", "Spans that a destination refused permanently."),
      ],
      seeAlso: ["kata-log-parser(1)", "systemd.socket(5)", "vsock(7)"])
  }
}
