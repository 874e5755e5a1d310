import CommandLine
import Delivery
import Glibc
import Logging
import System

/// `kata-log-parser ship`: the service that sends a node's logs to Fluentd, Fluent Bit or a collector.
enum ShipCommand {
  static let usages = ["ship [--check] FILE"]

  /// Runs `ship` with the arguments after that word, and returns the exit status.
  static func main(_ arguments: [String]) -> Int32 {
    let isCheck = arguments.contains("--check")
    let rest = arguments.filter { $0 != "--check" }
    let diagnostics = Diagnostics("kata-log-parser")
    if rest == ["--help"] || rest == ["-h"] { return help() }
    guard rest.count == 1, !rest[0].hasPrefix("-") else {
      diagnostics.error("ship needs one configuration file, optionally after --check")
      diagnostics.line("Try kata-log-parser ship --help.")
      return 2
    }
    let configuration: ShipConfiguration
    do throws(UsageError) { configuration = try ShipConfiguration.read(rest[0]) } catch {
      diagnostics.error(error.message)
      return 2
    }
    if isCheck { return ShipCheck(configuration, rest[0], diagnostics).run() }
    let log = StructuredLog(
      level: LogLevel.allCases.first { $0.name == configuration.logLevel }, program: "kata-log-parser",
      source: "ship")
    return ShipService(configuration, path: rest[0], log).run()
  }

  private static func help() -> Int32 {
    let text = """
      Usage: kata-log-parser ship [--check] FILE

      Sends the logs of this node to Fluentd, Fluent Bit or an OpenTelemetry collector, each record at least once, until
      SIGTERM. FILE says what is read and where it is sent:

        [receiver]
        endpoint = tcp://aggregator:24224
        [journal]
        identifier = kata, containerd, crio, kubelet
        [files]
        path = /run/vc/vm/*/console.log

      --check tests the configuration: it reports errors, the files that match, and whether the receivers can be
      reached. On SIGHUP the service reads FILE again. The status is at http://127.0.0.1:9465: /metrics, /healthz and
      /readyz. formats/ship/README.md lists all keys, and examples/systemd has a unit.

      Exit status: 0 if everything that was read is delivered or will be read again, 1 if records were dropped, rejected
      or set aside or the service could not continue, 2 if FILE has an error.

      """
    print(text, terminator: "")
    return 0
  }
}

/// Tests a configuration, and reports what it means on this machine.
private struct ShipCheck {
  private let configuration: ShipConfiguration
  private let path: String
  private let diagnostics: Diagnostics

  init(_ configuration: ShipConfiguration, _ path: String, _ diagnostics: Diagnostics) {
    self.configuration = configuration
    self.path = path
    self.diagnostics = diagnostics
  }

  func run() -> Int32 {
    var isGood = checkInputs()
    isGood = checkState() && isGood
    isGood = checkReceivers() && isGood
    print(isGood ? "\(path): good" : "\(path): not good")
    return isGood ? 0 : 1
  }

  private func checkInputs() -> Bool {
    var isGood = true
    if configuration.readsJournal {
      if let problem = ShipReader.journalProblem(configuration) {
        diagnostics.error(problem)
        isGood = false
      } else {
        print("journal: readable; identifiers \(configuration.identifiers.joined(separator: ", "))")
      }
    }
    if !configuration.paths.isEmpty {
      let files = PathPattern.files(configuration.paths)
      print(
        "files: \(files.count) match now\(files.isEmpty ? "" : ": ")\(files.prefix(5).joined(separator: ", "))"
      )
      if files.count > configuration.fileLimit {
        diagnostics.error(
          "\(files.count) files match, and \(configuration.fileLimit) are followed at once: raise max-files under [files]"
        )
        isGood = false
      }
      for file in files where access(file, R_OK) != 0 {
        diagnostics.error("\(SystemCallError("open", file).description)")
        isGood = false
      }
    }
    return isGood
  }

  /// Whether what an earlier run noted can be used.
  private func checkState() -> Bool {
    do throws(ShipPositions.Refusal) {
      _ = try ShipPositions.read(ShipSession.positionsPath(configuration.stateDirectory))
      return true
    } catch {
      diagnostics.error(error.description)
      return false
    }
  }

  private func checkReceivers() -> Bool {
    do throws(UsageError) {
      let destination = try ShipDestination(configuration)
      return connect(destination)
    } catch {
      diagnostics.error(error.message)
      return false
    }
  }

  /// Whether one of the receivers can be reached.
  private func connect(_ destination: ShipDestination) -> Bool {
    var isReached = false
    do throws(DeliveryFailure) {
      for receiver in try destination.makeReceivers(StopDeadline()) {
        do throws(DeliveryFailure) {
          try receiver.connect(until: MonotonicClock.milliseconds + 10_000)
          receiver.disconnect()
          // A collector is connected to with each request only.
          try (receiver as? OTLPReceiver)?.probe()
          print("\(receiver.name): reached")
          isReached = true
        } catch {
          say(error)
        }
      }
    } catch {
      say(error)
    }
    return isReached
  }

  private func say(_ failure: DeliveryFailure) {
    let answer = failure.answer.map { " (it says: \($0))" } ?? ""
    diagnostics.error("\(failure.reason)\(answer)\(failure.remedy.map { "; \($0)" } ?? "")")
  }
}
