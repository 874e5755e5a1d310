import CommandLine
import Glibc
import HTTP
import Logging
import System

/// The service that ships a node's logs: reads a configuration, runs sessions with it, and serves its status, until a
/// signal ends it. On SIGHUP it reads the configuration again.
package final class ShipService {
  private let path: String
  private var configuration: ShipConfiguration
  private let log: StructuredLog
  private let manager = ServiceManager()
  private let counters = ShipCounters()
  /// Locked while the service runs.
  private var directory: StateDirectory?

  package init(_ configuration: ShipConfiguration, path: String, _ log: StructuredLog) {
    self.configuration = configuration
    self.path = path
    self.log = log
  }

  /// Runs until a signal ends the service; returns the exit status.
  package func run() -> Int32 {
    do throws(SystemCallError) {
      // Before any thread starts, so that all threads inherit the blocked signals, which this thread receives.
      let signals = try StopSignals([SIGINT, SIGTERM, SIGHUP])
      let status = try ShipStatus(counters)
      if let address = configuration.statusAddress {
        status.start(BoundSocket(try ListeningSocket.tcp(address)), log)
        if let failure = status.failure { throw failure }
      }
      return serve(status, signals)
    } catch {
      log.error("the shipper cannot start", ["error": error.description])
      return 1
    }
  }

  private func serve(_ status: ShipStatus, _ signals: borrowing StopSignals) -> Int32 {
    var session = start()
    guard session != nil else { return 1 }
    manager.notify("READY=1\nSTATUS=Shipping logs")
    log.info(
      "the shipper is ready",
      [
        // Without credentials, which do not belong into a log.
        "receivers": configuration.endpoints.map(HTTPSecrets.place).joined(separator: " "),
        "journal": configuration.readsJournal ? "on" : "off",
        "files": configuration.paths.joined(separator: " "),
        "status": configuration.statusAddress?.description ?? "off",
      ])
    defer { status.stop() }
    while let current = session {
      status.use(current)
      switch wait(current, signals) {
      case .reload: session = reload(current)
      case .failed:
        _ = current.finish(within: configuration.stopTimeout)
        return 1
      case .stop:
        status.use(nil)
        manager.notify("STOPPING=1")
        return finish(current)
      }
    }
    return 1
  }

  /// Starts a session after what the previous one delivered; nil, with the reason in the log, if that fails.
  private func start() -> ShipSession? {
    do throws(StartFailure) {
      let destination = try attempt { () throws(UsageError) in try ShipDestination(configuration) }
      if directory?.path != configuration.stateDirectory {
        directory = try attempt { () throws(SystemCallError) in
          try StateDirectory(configuration.stateDirectory)
        }
      }
      let positions = try positions()
      return try attempt { () throws(SystemCallError) in
        let session = try ShipSession(configuration, destination, counters, log)
        try session.start(destination, from: positions)
        return session
      }
    } catch {
      log.error("the shipper cannot start", ["error": error.reason])
      return nil
    }
  }

  /// Why a session cannot start.
  private struct StartFailure: Error {
    var reason: String
  }

  private func attempt<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(StartFailure) -> Result {
    do throws(Failure) { return try body() } catch {
      throw StartFailure(reason: (error as? UsageError)?.message ?? "\(error)")
    }
  }

  /// The positions of the previous run. The first run notes when it began, so that files that are rotated before it has
  /// delivered anything are known to be newer.
  private func positions() throws(StartFailure) -> ShipPositions {
    let path = ShipSession.positionsPath(configuration.stateDirectory)
    let known = try attempt { () throws(ShipPositions.Refusal) in try ShipPositions.read(path) }
    if let known { return known }
    var first = ShipPositions()
    first.time = Int64(clamping: WallClock.nanoseconds)
    try attempt { () throws(SystemCallError) in try ShipPositions.write(first.text, to: path) }
    return first
  }

  /// Ends a session and starts one of the configuration as it is now; goes on with the old configuration if the new one
  /// cannot be read, or names what cannot be used.
  private func reload(_ session: ShipSession) -> ShipSession? {
    manager.notify("RELOADING=1\nMONOTONIC_USEC=\(MonotonicClock.nanoseconds / 1000)")
    defer { manager.notify("READY=1\nSTATUS=Shipping logs") }
    let new: ShipConfiguration
    do throws(UsageError) {
      new = try ShipConfiguration.read(path)
      // Files of keys, and the journal: what can be tried while the old session is at work.
      _ = try ShipDestination(new)
      if new.readsJournal, let problem = ShipReader.journalProblem(new) { throw UsageError(problem) }
    } catch {
      log.error("the configuration is wrong; the old one stays in use", ["error": error.message])
      return session
    }
    _ = session.finish(within: configuration.stopTimeout)
    let old = configuration
    configuration = new
    guard let next = start() else {
      log.error("the configuration cannot be used; the old one stays in use", ["file": path])
      configuration = old
      return start()
    }
    if new.statusAddress != old.statusAddress {
      log.warning("a new status-address is used after a restart", ["file": path])
    }
    log.info("the configuration was read again", ["file": path])
    return next
  }

  private enum Outcome { case reload, stop, failed }

  private func wait(_ session: ShipSession, _ signals: borrowing StopSignals) -> Outcome {
    while true {
      var file = pollfd(fd: signals.file.number, events: Int16(POLLIN), revents: 0)
      _ = poll(&file, 1, 500)
      switch signals.next() {
      case SIGHUP: return .reload
      case let signal?:
        log.info("the shipper stops", ["signal": signal == SIGINT ? "SIGINT" : "SIGTERM"])
        return .stop
      case nil: break
      }
      if let failure = session.failure {
        log.error("the shipper cannot go on", ["error": failure])
        return .failed
      }
      if manager.watchdog != nil, session.silence < 60_000 || session.statistics.failing != nil {
        manager.notify("WATCHDOG=1")
      }
    }
  }

  private func finish(_ session: ShipSession) -> Int32 {
    let isComplete = session.finish(within: configuration.stopTimeout)
    let statistics = session.statistics
    log.info(
      "the shipper has stopped",
      [
        "acknowledged": String(statistics.acknowledgedRecords), "waiting": String(statistics.waitingRecords),
        "set_aside": String(statistics.setAsideRecords), "over_quota": String(counters.losses),
      ])
    if !isComplete { log.info("the next run reads and sends again what was not acknowledged") }
    // Waiting records are not lost: they are after the saved position.
    return statistics.setAsideRecords + statistics.rejectedRecords + counters.losses > 0 ? 1 : 0
  }
}

/// The directory in which a service keeps its state. It is locked, as two services would overwrite each other's positions
/// and so skip records; the lock ends with the object, or with the process.
final class StateDirectory {
  let path: String
  private let lock: FileDescriptor

  /// Makes the directory, for this user alone, if it is not there, and locks it.
  init(_ path: String) throws(SystemCallError) {
    self.path = path
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw SystemCallError("mkdir", path) }
    guard access(path, W_OK | X_OK) == 0 else { throw SystemCallError("write to", path) }
    lock = try FileDescriptor.open("\(path)/lock", O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
      throw SystemCallError("lock the state directory (is another shipper using it?)", path)
    }
  }
}
