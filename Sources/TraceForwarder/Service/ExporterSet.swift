import Glibc
import Logging
import System

/// The exporters that were asked for, each with its thread and its position in the spool.
struct ExporterSet: Sendable {
  let workers: [ExporterWorker]

  /// - Parameter onClosedOutput: called when the reader of standard output has closed it.
  init(
    _ options: ForwarderOptions, spool: Spool, metrics: Metrics, losses: LossLedger, log: StructuredLog,
    mark: String,
    onClosedOutput: @escaping @Sendable () -> Void
  ) throws(SystemCallError) {
    var workers: [ExporterWorker] = []
    func add(
      _ name: String, _ make: @escaping @Sendable (ExporterContext) throws(ExportFailure) -> any SpanExporter
    ) throws(SystemCallError) {
      let context = ExporterContext(
        name: name, metrics: metrics, log: log, losses: losses, store: spool.setAside,
        defaultService: options.agents.defaultService, instance: mark)
      workers.append(try ExporterWorker(context, spool: spool, limits: options.worker, make: make))
    }
    let files = options.files
    if let directory = options.jaegerDirectory {
      let limits = JaegerDirectoryExporter.Retention(
        files: files.traces, age: files.traceAge, size: files.traceBytes)
      try add("jaeger-json") { context throws(ExportFailure) in
        try JaegerDirectoryExporter(context, directory: directory, limits: limits)
      }
    }
    if let path = options.jaegerFile {
      try add("jaeger-json-file") { JaegerFileExporter($0, path: path, rotation: files.rotation) }
    }
    if let collector = options.otlp {
      try add("otlp") { context throws(ExportFailure) in
        try CollectorExporter(
          context, OTLPRequestEncoder(context, usesJSON: options.otlpUsesJSON), collector)
      }
    }
    if let path = options.otlpFile {
      try add("otlp-json-file") { OTLPFileExporter($0, path: path, rotation: files.rotation) }
    }
    if let address = options.jaegerAgent { try add("jaeger-agent") { JaegerUDPExporter($0, address) } }
    if let collector = options.jaegerCollector {
      try add("jaeger-thrift") { context throws(ExportFailure) in
        try CollectorExporter(context, ThriftRequestEncoder(context), collector)
      }
    }
    if options.dumpsOnly {
      let terminal = Terminal(STDOUT_FILENO)
      let isColoured = terminal.isTerminal && terminal.showsColors
      try add("dump") { TextExporter($0, isColoured: isColoured, onClosed: onClosedOutput) }
    }
    self.workers = workers
  }

  func start() { for worker in workers { worker.start() } }
  func reopen() { for worker in workers { worker.reopen() } }

  /// Delivers what can be until the deadline.
  func stop(deadline: Int) {
    for worker in workers { worker.stop(deadline: deadline) }
    for worker in workers { worker.join() }
  }
}
