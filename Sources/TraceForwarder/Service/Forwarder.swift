import Glibc
import HTTP
import Logging
import System

/// The whole forwarder: receivers, spool, exporters and queries, from its start to its end.
///
/// Each of these has its own thread, and they meet only in the spool: one thread for the agents, one for spans
/// over HTTP, one for queries, one for each exporter, one that syncs the spool. The thread that calls ``run()`` waits
/// for signals.
struct Forwarder {
  private let options: ForwarderOptions
  private let log: StructuredLog
  private let manager = ServiceManager()
  private let metrics = Metrics()
  private let losses: LossLedger
  /// The mark on this run's requests, by which one that comes back is recognised.
  private let mark = LoopGuard.makeMark()

  /// Called when all sockets are bound, with the address of the query API.
  private let onReady: (String?) -> Void

  init(_ options: ForwarderOptions, _ log: StructuredLog, onReady: @escaping (String?) -> Void = { _ in }) {
    self.options = options
    self.log = log
    self.onReady = onReady
    losses = LossLedger(log: log)
    losses.addMetric(to: metrics)
  }

  /// Serves until a signal or the idle time ends it; returns the exit status.
  func run() -> Int32 {
    OpenFileLimit.raise()
    do throws(SystemCallError) {
      // Before any thread is there, so that all inherit that the signals wait for this one.
      let signals = try StopSignals([SIGINT, SIGTERM, SIGHUP])
      guard let sockets = try bind(), try prepareDirectories() else { return 1 }
      return try serve(sockets, signals)
    } catch {
      log.error("the forwarder cannot start", ["error": error.description])
      return 1
    }
  }

  private func bind() throws(SystemCallError) -> ListeningSockets? {
    let sockets: ListeningSockets
    do throws(ListeningSockets.BindingFailure) { sockets = try ListeningSockets(options, log) } catch {
      log.error("a socket cannot be bound", ["error": error.description])
      return nil
    }
    guard let problem = LoopCheck.problem(options, sockets) else { return sockets }
    log.error("an exporter sends to this forwarder itself", ["error": problem])
    return nil
  }

  /// Creates the directories, becomes the user, and checks that it can write to them.
  private func prepareDirectories() throws(SystemCallError) -> Bool {
    let user = geteuid() == 0 ? options.user.map { User($0) } : nil
    if case .some(.none) = user {
      log.error("there is no such user", ["user": options.user ?? "", "remedy": "choose one with --user"])
      return false
    }
    let directories = OutputDirectories(options)
    try directories.make(for: user ?? nil)
    if let user, let user { try user.become() }
    if let problem = directories.problem() {
      log.error("files cannot be written", ["error": problem])
      return false
    }
    return true
  }

  private func serve(_ sockets: ListeningSockets, _ signals: borrowing StopSignals) throws(SystemCallError)
    -> Int32
  {
    guard let spool = openSpool() else { return 1 }
    let closed = try Wakeup()
    let exporters = try ExporterSet(
      options, spool: spool, metrics: metrics, losses: losses, log: log, mark: mark
    ) {
      closed.raise()
    }
    let index = options.query == nil ? nil : try TraceIndex(spool, limits: options.index)
    let telemetry = Telemetry(metrics, spool, exporters)
    let syncer = try SpoolSyncer(spool, log: log)
    let agents = try LoopThread("agents")
    let http = try LoopThread("http")
    let queries = try LoopThread("queries")

    syncer.start()
    exporters.start()
    index?.start()
    startHTTP(http, sockets, spool, telemetry)
    if let index { startQueries(queries, sockets, index, telemetry) }
    // The last, for guests may take all descriptors that are left.
    startAgents(agents, sockets, spool)
    let loops = index == nil ? [agents, http] : [agents, http, queries]
    if loops.allSatisfy({ $0.failure == nil }) { announce(sockets) }

    let status = wait(signals, closed, loops, exporters, spool)

    manager.notify("STOPPING=1")
    telemetry.stop()
    let deadline = MonotonicClock.milliseconds + options.stopTimeout
    // Reading what was sent may take a third of the time; the rest is for delivering it.
    for loop in loops { loop.stop(deadline: MonotonicClock.milliseconds + options.stopTimeout / 3) }
    for loop in loops { loop.join() }
    index?.stop()
    syncer.stop()
    exporters.stop(deadline: deadline)
    return max(status, settle(exporters, spool))
  }

  private func openSpool() -> Spool? {
    do throws(SpoolFailure) {
      let spool = try Spool(options.spool, losses: losses, log: log)
      let counts = spool.counts
      if counts.recovered > 0 || counts.cutBytes > 0 {
        log.info(
          "the spool has spans of an earlier run",
          ["spans": String(counts.recovered), "torn_bytes": String(counts.cutBytes)])
      }
      return spool
    } catch {
      log.error("the forwarder cannot start", ["error": error.description])
      return nil
    }
  }

  // MARK: Threads

  private func startAgents(_ thread: LoopThread, _ sockets: ListeningSockets, _ spool: Spool) {
    let (limits, metrics, log) = (options.agents, metrics, log)
    let (listeners, helper) = (sockets.agents, sockets.helper)
    thread.start { loop throws(SystemCallError) in
      let receiver = AgentReceiver(loop: loop, limits: limits, spool: spool, metrics: metrics, log: log)
      return try AgentService(receiver, listeners: listeners, helper: helper, log: log)
    }
  }

  private func startHTTP(
    _ thread: LoopThread, _ sockets: ListeningSockets, _ spool: Spool, _ telemetry: Telemetry
  ) {
    let (limits, http, metrics, log) = (options.agents.span, options.http, metrics, log)
    let (name, hosts) = (options.agents.defaultService, HostPolicy(options.hosts))
    let loops = LoopGuard(mark: mark, remembersSpans: options.sendsOverNetwork)
    thread.start { loop throws(SystemCallError) in
      let server = HTTPServer(loop: loop, limits: http, hosts: hosts, metrics: metrics, log: log)
      // A separate thread, so that no sender of spans can block the metrics.
      let (receivers, telling) = (HTTPBudget(), HTTPBudget())
      let spans = SpanHTTPReceiver(
        spool: spool, metrics: metrics, log: log, limits: limits, defaultService: name, loops: loops)
      for socket in sockets.jaeger {
        if let file = socket.take() { server.listen(file, in: receivers) { spans.jaeger($0) } }
      }
      for socket in sockets.otlp {
        if let file = socket.take() { server.listen(file, in: receivers) { spans.otlp($0) } }
      }
      for socket in sockets.metrics {
        guard let file = socket.take() else { continue }
        server.listen(file, in: telling) {
          telemetry.answer($0)
            ?? HTTPResponse(404, text: "not found: only /metrics, /healthz and /readyz are served here")
        }
      }
      return HTTPService(server)
    }
  }

  private func startQueries(
    _ thread: LoopThread, _ sockets: ListeningSockets, _ index: TraceIndex, _ telemetry: Telemetry
  ) {
    let (http, metrics, log, name) = (options.http, metrics, log, options.agents.defaultService)
    let hosts = HostPolicy(options.hosts)
    thread.start { loop throws(SystemCallError) in
      let server = HTTPServer(loop: loop, limits: http, hosts: hosts, metrics: metrics, log: log)
      let api = QueryAPI(index, defaultService: name)
      let budget = HTTPBudget()
      for socket in sockets.query {
        guard let file = socket.take() else { continue }
        server.listen(file, in: budget) { [unowned server] request in
          if let answer = telemetry.answer(request) { return answer }
          // Small answers are made without checking the room: the number of connections is limited.
          let cheap = QueryAPI.isCheap(request) ? api.answer(request) : nil
          if let cheap, cheap.body.count <= HTTPServer.mostOutput { return cheap }
          return server.hasRoomForAnswer()
            ? cheap ?? api.answer(request)
            : HTTPResponse(
              503, text: "too many unread answers: retry later, or raise --query-max-unread", retryAfter: 1)
        }
      }
      return HTTPService(server)
    }
  }

  private func announce(_ sockets: ListeningSockets) {
    func address(_ configured: SocketAddress?, _ sockets: [BoundSocket]) -> String? {
      guard let socket = sockets.first else { return nil }
      return SocketAddress(host: configured?.host ?? "localhost", port: socket.address?.port ?? 0)
        .description
    }
    let query = address(options.query, sockets.query)
    // Before the line that says it is ready: a guest whose hypervisor uses such a socket would be silently missed.
    if !sockets.off.isEmpty {
      log.info("some receivers are off", ["not_listening": sockets.off.joined(separator: ", ")])
    }
    log.info(
      "the forwarder is ready",
      [
        "agent_sockets": String(sockets.agents.count),
        "vsock": sockets.hasVSOCK ? "on" : "off",
        "jaeger": address(options.jaegerReceiver, sockets.jaeger) ?? "off",
        "otlp": address(options.otlpReceiver, sockets.otlp) ?? "off",
        "query": query ?? "off",
        "metrics": address(options.metrics, sockets.metrics) ?? "off",
        "spool": options.spool.directory,
      ])
    manager.notify("READY=1\nSTATUS=Receiving spans")
    onReady(query)
  }

  // MARK: Waiting

  /// Until a signal, an idle time, a closed output or a thread that failed ends it; returns the exit status so far.
  private func wait(
    _ signals: borrowing StopSignals, _ closed: Wakeup, _ loops: [LoopThread], _ exporters: ExporterSet,
    _ spool: Spool
  ) -> Int32 {
    var lastSpans: UInt64 = 0
    var lastActivity = MonotonicClock.milliseconds
    while true {
      var files = [
        pollfd(fd: signals.file.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: closed.file.number, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&files, 2, Int32(clamping: pause))
      switch signals.next() {
      case SIGHUP:
        log.info("files are reopened")
        exporters.reopen()
      case let signal?:
        log.info("the forwarder is stopping", ["signal": signal == SIGINT ? "SIGINT" : "SIGTERM"])
        return 0
      case nil: break
      }
      if files[1].revents != 0 { return 0 }
      spool.look()
      for loop in loops {
        guard let failure = loop.failure else { continue }
        log.error("the forwarder cannot continue", ["thread": loop.name, "error": failure.description])
        return 1
      }
      if let watchdog = manager.watchdog, loops.allSatisfy({ $0.silence < Int(watchdog / 1000) + 2000 }) {
        manager.notify("WATCHDOG=1")
      }
      guard options.exitIdleTime > 0 else { continue }
      let spans = metrics.value(.received)
      if spans != lastSpans || metrics.value(.connections) > 0 { lastActivity = MonotonicClock.milliseconds }
      lastSpans = spans
      if MonotonicClock.milliseconds - lastActivity >= options.exitIdleTime {
        log.info("the forwarder stops: it has been idle for --exit-idle-time")
        return 0
      }
    }
  }

  /// Milliseconds until something must be checked even without a wakeup.
  private var pause: Int {
    var pause = 1000
    if let watchdog = manager.watchdog { pause = min(pause, max(1, Int(watchdog / 3000))) }
    if options.exitIdleTime > 0 { pause = min(pause, max(10, options.exitIdleTime / 4)) }
    return pause
  }

  /// Reports what is not delivered; returns the exit status.
  private func settle(_ exporters: ExporterSet, _ spool: Spool) -> Int32 {
    var status: Int32 = 0
    for worker in exporters.workers {
      let count = spool.count(from: worker.position)
      if count == 0, let failure = worker.failure {
        status = 1
        log.error("an exporter could not finish", ["exporter": worker.name, "reason": failure.reason])
      }
      guard count > 0 else { continue }
      status = 1
      log.error(
        "spans are not delivered and wait in the spool",
        [
          "exporter": worker.name, "spans": String(count),
          "reason": worker.failure?.reason ?? "the shutdown deadline passed",
        ])
    }
    if losses.total > 0 { status = 1 }
    log.info(
      "the forwarder has stopped",
      [
        "received": String(metrics.value(.received)), "exported": String(metrics.value(.exported)),
        "rejected": String(metrics.value(.rejected)), "lost": String(losses.total),
      ])
    return status
  }
}
