import CLinux
import Glibc
import Logging
import System

/// The privileged helper of the forwarder: watches the sandboxes' directories, creates a socket in each and passes it
/// to the main process, which has no rights any more. It reads nothing except from the kernel.
///
/// A message is `+KEY SANDBOX` with the listening socket, or `-KEY` when that is no longer needed. When the main
/// process ends, its end of the connection closes; the helper then ends too and removes the sockets.
struct SandboxWatch: ~Copyable {
  /// A watched place: a template's directory, or the socket of one sandbox in it.
  private struct WatchedPlace: Hashable {
    var template: Int
    var sandbox: String?
  }

  /// A socket that was made.
  private struct Made {
    var key: UInt64
    var file: SocketFile?
    var owner: uid_t
    /// The directory that it is in, by its watch.
    var directory: Int32?
  }

  /// Milliseconds between full checks, for changes without an event; fewer if the kernel allows no more watches.
  static let roundInterval = 15_000
  private static let blindInterval = 500
  /// Milliseconds before the next check, so that a directory that changes continuously costs little.
  private static let pause: Int32 = 2
  /// Sockets created in one place per round, so that replacing directories continuously gains nothing.
  private static let makesPerRound = 10
  private static let maximumSockets = 10_000

  private let templates: [SocketTemplate]
  private let port: UInt32
  private let connection: FileDescriptor
  private let roundInterval: Int
  private let log: StructuredLog
  private var watches: DirectoryWatches<WatchedPlace>
  private var sandboxes: [Set<String>]
  private var made: [WatchedPlace: Made] = [:]
  private var makes: [WatchedPlace: Int] = [:]
  /// Directories, by their watches, whose socket somebody removed. That is how the removal of a directory begins, which
  /// a new socket would make fail, so there is none before the next round.
  private var cleared: [WatchedPlace: Int32?] = [:]
  /// The last complaint about a place, so that it is not repeated.
  private var complaints: [WatchedPlace: String] = [:]
  private var lastKey: UInt64 = 0
  private var isBlind = false
  /// The templates' directories that ``sandboxes`` are in, by their watches.
  private var directories: [Int32?]
  /// The watch of the directory that was reached last; nil when it was not there.
  private var lastWatch: Int32?
  /// Whether the other half is known to be gone.
  private var isOver = false

  /// - Parameter connection: a socket of messages to the other half.
  init(
    _ templates: [SocketTemplate], port: UInt32, connection: consuming FileDescriptor, log: StructuredLog,
    roundInterval: Int = Self.roundInterval
  ) throws(SystemCallError) {
    self.templates = templates
    self.port = port
    self.connection = connection
    self.roundInterval = roundInterval
    self.log = log
    watches = try DirectoryWatches()
    sandboxes = templates.map { _ in [] }
    directories = templates.map { _ in nil }
  }

  /// Runs until the other half is gone.
  mutating func run() {
    var nextRound = 0
    while true {
      let now = MonotonicClock.milliseconds
      if now >= nextRound {
        lookAtAll()
        nextRound = now + (isBlind ? Self.blindInterval : roundInterval)
      }
      guard waits(within: Int32(clamping: max(0, nextRound - MonotonicClock.milliseconds))) else { break }
      guard let changed = watches.changes() else {
        nextRound = 0
        continue
      }
      for place in changed { look(at: place) }
      guard waits(within: Self.pause, ignoringEvents: true) else { break }
    }
    for place in Array(made.keys) { drop(place, tells: false) }
  }

  /// Waits for an event; false when the other half is gone.
  private func waits(within timeout: Int32, ignoringEvents: Bool = false) -> Bool {
    var files = [
      pollfd(fd: connection.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: ignoringEvents ? -1 : watches.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    _ = poll(&files, 2, timeout)
    return files[0].revents == 0
  }

  // MARK: Looking

  private mutating func lookAtAll() {
    isBlind = false
    makes.removeAll()
    cleared.removeAll()
    for index in templates.indices {
      let known = sandboxes[index]
      look(at: WatchedPlace(template: index, sandbox: nil))
      for sandbox in known.intersection(sandboxes[index]) {
        look(at: WatchedPlace(template: index, sandbox: sandbox))
      }
    }
  }

  private mutating func look(at place: WatchedPlace) {
    if isOver { return }
    if let sandbox = place.sandbox {
      lookForSocket(place, sandbox)
    } else {
      lookForSandboxes(place)
    }
  }

  private mutating func lookForSandboxes(_ place: WatchedPlace) {
    let template = templates[place.template]
    var found = Set<String>()
    do throws(SystemCallError) {
      // Of the directories on the way all are watched: one that is removed may tell of it only much later.
      if let directory = try reach(template.directory, for: place, depth: .max) {
        let names = try DirectoryListing.names(in: directory.path)
        found = Set(names.compactMap { template.sandbox(entry: $0, port: port) })
      }
      complaints[place] = nil
    } catch {
      complain(place, "a directory of sandboxes cannot be watched", error)
      // That says nothing of the sandboxes: their sockets stay.
      if error.isShortage { return }
    }
    let known = sandboxes[place.template]
    let isSame = directories[place.template] == lastWatch
    sandboxes[place.template] = found
    directories[place.template] = lastWatch
    for sandbox in known.subtracting(found) {
      let gone = WatchedPlace(template: place.template, sandbox: sandbox)
      drop(gone)
      watches.set(gone, [])
      complaints[gone] = nil
    }
    // In another directory of that name they are others too.
    for sandbox in isSame ? found.subtracting(known) : found {
      look(at: WatchedPlace(template: place.template, sandbox: sandbox))
    }
  }

  private mutating func lookForSocket(_ place: WatchedPlace, _ sandbox: String) {
    // An event may tell of one that is gone.
    guard sandboxes[place.template].contains(sandbox) else { return }
    let template = templates[place.template]
    let name = template.socketName(sandbox: sandbox, port: port)
    do throws(SystemCallError) {
      let path = template.socketDirectory(sandbox: sandbox)
      guard let directory = try reach(path, for: place, depth: template.depth, name: name) else {
        return drop(place)
      }
      if let made = made[place] {
        let socket = directory.socket(name)
        if socket == made.file, directory.status.st_uid == made.owner { return }
        drop(place)
        if socket == nil, lastWatch == made.directory { cleared[place] = made.directory }
      }
      if cleared[place] == .some(lastWatch) { return }
      try make(place, sandbox, in: directory, name)
      complaints[place] = nil
    } catch {
      complain(place, "a sandbox's socket cannot be made", error)
    }
  }

  /// Walks to a directory and watches it and those on the way; nil when it is not there.
  ///
  /// - Parameters:
  ///   - depth: how many of the directories on the way count, from the last one back.
  ///   - name: the name in the directory that matters; nil when all do.
  private mutating func reach(_ path: String, for place: WatchedPlace, depth: Int, name: String? = nil)
    throws(SystemCallError) -> CheckedDirectory?
  {
    lastWatch = nil
    var steps: [DirectoryWatches<WatchedPlace>.Step] = []
    var failure: SystemCallError?
    defer { watches.set(place, steps) }
    let directory = try CheckedDirectory(path) { number, rest in
      guard rest.count <= depth else { return }
      do throws(SystemCallError) {
        steps.append(.init(watch: try watches.watch(number), name: rest.last ?? name))
      } catch {
        failure = error
      }
    }
    if let failure {
      isBlind = true
      log.limited(
        .error, by: "inotify", "directories cannot be watched and are polled twice a second",
        ["error": failure.description, "remedy": "raise fs.inotify.max_user_watches"])
    }
    guard directory.isComplete else { return nil }
    lastWatch = failure == nil ? steps.last?.watch : nil
    return directory
  }

  // MARK: Sockets

  private mutating func make(
    _ place: WatchedPlace, _ sandbox: String, in directory: borrowing CheckedDirectory, _ name: String
  ) throws(SystemCallError) {
    guard makes[place, default: 0] < Self.makesPerRound else { return }
    guard made.count < Self.maximumSockets else { throw SystemCallError("make a socket", name, code: EMFILE) }
    makes[place, default: 0] += 1
    let path = templates[place.template].path(sandbox: sandbox, port: port)
    let socket = try ListeningSocket.unix(in: directory, name, path)
    lastKey += 1
    let file = directory.socket(name)
    made[place] = Made(
      key: lastKey, file: file, owner: directory.status.st_uid, directory: lastWatch)
    guard tell("+\(lastKey) \(sandbox)", socket.number) else {
      let error = SystemCallError("send", "the other process")
      made[place] = nil
      directory.remove(name, ifIs: file)
      throw error
    }
  }

  private mutating func drop(_ place: WatchedPlace, tells: Bool = true) {
    guard let made = made.removeValue(forKey: place), let sandbox = place.sandbox else { return }
    let template = templates[place.template]
    if let directory = try? CheckedDirectory(template.socketDirectory(sandbox: sandbox)), directory.isComplete
    {
      directory.remove(template.socketName(sandbox: sandbox, port: port), ifIs: made.file)
    }
    if tells { _ = tell("-\(made.key)", -1) }
  }

  private mutating func tell(_ message: String, _ descriptor: Int32) -> Bool {
    do throws(SystemCallError) {
      try DescriptorPassing.send(message, descriptor, over: connection)
      return true
    } catch {
      isOver = error.code == EPIPE
      return false
    }
  }

  private mutating func complain(_ place: WatchedPlace, _ message: String, _ error: SystemCallError) {
    guard complaints[place] != error.description, !isOver else { return }
    complaints[place] = error.description
    log.limited(.error, by: "template \(place.template)", message, ["error": error.description])
  }
}
