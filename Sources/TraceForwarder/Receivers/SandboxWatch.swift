import Basics
import CLinux
import Glibc

/// The privileged half of the forwarder: watches the sandboxes' directories, makes a socket in each and hands it to the
/// other half, which has no rights any more. It reads nothing from anybody but the kernel.
///
/// A message is `+` or `-`, the sandbox's id and, for `+`, the listening socket. When the other half ends, its end of
/// the connection closes and so does this process.
struct SandboxWatch: ~Copyable {
  /// Where its end of the connection is when it starts.
  static let descriptor: Int32 = 3

  private struct Watched {
    var template: SocketTemplate
    var watch: Int32
    /// The sockets that were made, by sandbox.
    var sockets: [String: String] = [:]
  }

  private let inotify: FileDescriptor
  private let port: UInt32
  private var watched: [Watched]
  private let log: ForwarderLog

  init(_ templates: [SocketTemplate], port: UInt32, log: ForwarderLog) throws(SystemCallError) {
    let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    guard number >= 0 else { throw SystemCallError("inotify_init1", "sandboxes") }
    inotify = FileDescriptor(owning: number)
    self.port = port
    self.log = log
    watched = templates.map { Watched(template: $0, watch: -1) }
  }

  /// Runs until the other half is gone.
  mutating func run() {
    while true {
      update()
      var files = [
        pollfd(fd: inotify.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: Self.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      // A directory that is not there yet is looked for again.
      _ = poll(&files, 2, watched.contains { $0.watch < 0 } ? 500 : 10_000)
      if files[1].revents != 0 { break }
      drain()
    }
    for entry in watched { for path in entry.sockets.values { _ = unlink(path) } }
  }

  private func drain() {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while read(inotify.number, &buffer, buffer.count) > 0 {}
  }

  /// Brings the sockets in step with the directories: events only say when to look, so none can be missed.
  private mutating func update() {
    for index in watched.indices {
      let directory = watched[index].template.directory
      // Said again each time: the directory may be another one of the same name by now.
      watched[index].watch = watch(directory)
      let found = Set(entries(directory).compactMap { watched[index].template.sandbox(entry: $0) })
      for (sandbox, path) in watched[index].sockets where !found.contains(sandbox) || !isThere(path) {
        _ = unlink(path)
        watched[index].sockets[sandbox] = nil
        tell("-\(sandbox)", -1)
      }
      for sandbox in found where watched[index].sockets[sandbox] == nil { add(sandbox, to: index) }
    }
  }

  private mutating func add(_ sandbox: String, to index: Int) {
    guard watched[index].sockets.count < 10_000 else { return }
    let path = watched[index].template.path(sandbox: sandbox, port: port)
    do throws(SystemCallError) {
      guard let socket = try listen(path) else { return }
      giveAway(path)
      watched[index].sockets[sandbox] = path
      tell("+\(sandbox)", socket.number)
    } catch {
      log.limited(
        .error, by: "sandbox \(sandbox)", "a sandbox's socket cannot be made",
        ["sandbox": sandbox, "error": error.description])
    }
  }

  /// Nil while a directory on the way to the socket is missing; that it appears wakes this process up.
  private func listen(_ path: String) throws(SystemCallError) -> FileDescriptor? {
    for _ in 0..<8 {
      do throws(SystemCallError) { return try ListeningSocket.unix(path, mode: 0o600) } catch {
        guard error.code == ENOENT else { throw error }
      }
      var parent = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
      // What is made between the attempt and the watch is found by the next attempt.
      if isThere(String(parent)) { continue }
      while !parent.isEmpty, !isThere(String(parent)) {
        parent = parent[..<(parent.lastIndex(of: "/") ?? parent.startIndex)]
      }
      guard watch(String(parent)) >= 0, !isThere(Self.child(of: parent, towards: path)) else { continue }
      return nil
    }
    return nil
  }

  /// The directory below `parent` on the way to `path`.
  private static func child(of parent: Substring, towards path: String) -> String {
    let rest = path.dropFirst(parent.count + 1)
    return "\(parent)/\(rest.prefix { $0 != "/" })"
  }

  private func watch(_ directory: String) -> Int32 {
    inotify_add_watch(
      inotify.number, directory,
      UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR))
  }

  /// Gives the socket to the directory's owner, as whom the hypervisor runs. The owner may have put something else in its
  /// place by now: only a socket that is root's and has no other name changes hands.
  private func giveAway(_ path: String) {
    let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    var owner = stat()
    guard stat(directory, &owner) == 0, owner.st_uid != geteuid() else { return }
    guard let file = try? FileDescriptor.open(path, Int32(kata_o_path) | O_NOFOLLOW) else { return }
    guard let found = try? file.status(path), found.st_mode & S_IFMT == S_IFSOCK, found.st_uid == geteuid(),
      found.st_nlink == 1
    else { return }
    _ = fchownat(file.number, "", owner.st_uid, owner.st_gid, Int32(kata_at_empty_path))
  }

  private func isThere(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  private func entries(_ directory: String) -> [String] {
    guard let listing = opendir(directory) else { return [] }
    defer { closedir(listing) }
    var result: [String] = []
    while let entry = readdir(listing) {
      result.append(
        withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return result
  }

  private func tell(_ message: String, _ descriptor: Int32) {
    let bytes = Array(message.utf8)
    _ = bytes.withUnsafeBytes { kata_send_descriptor(Self.descriptor, $0.baseAddress, $0.count, descriptor) }
  }
}

/// The other end: takes the sockets that the privileged half makes.
final class SandboxSockets: EventHandler, IdleHandler {
  private let file: FileDescriptor
  private unowned let receiver: AgentReceiver
  private let log: ForwarderLog

  init(_ file: consuming FileDescriptor, _ receiver: AgentReceiver, _ log: ForwarderLog) {
    self.file = file
    self.receiver = receiver
    self.log = log
  }

  var number: Int32 { file.number }

  func ready(_ events: EventLoop.Events) {
    var message = [UInt8](repeating: 0, count: 256)
    while true {
      var descriptor: Int32 = -1
      let count = message.withUnsafeMutableBytes {
        kata_receive_descriptor(number, $0.baseAddress, $0.count, &descriptor)
      }
      if count < 0 { return }
      guard count > 1 else {
        log.error("the privileged helper is gone: sandboxes that start from now on are not received")
        return receiver.loop.remove(number)
      }
      let sandbox = String(decoding: message[1..<count], as: UTF8.self)
      if message[0] == 0x2b, descriptor >= 0 {
        receiver.listen(
          FileDescriptor(owning: descriptor), SpanOrigin(receiver: "hybrid", sandbox: sandbox))
        log.info("a sandbox appeared", ["sandbox": sandbox])
      } else if message[0] == 0x2b {
        log.error(
          "a sandbox's socket was lost on its way", ["sandbox": sandbox, "reason": "too many open files"])
      } else if message[0] == 0x2d {
        receiver.stopListening(sandbox: sandbox)
        log.info("a sandbox is gone", ["sandbox": sandbox])
      }
    }
  }

  func tick(_ now: Int) {}
}

/// Starts the privileged half.
enum SandboxHelper {
  /// The first argument of the process that is the privileged half.
  static let argument = "--privileged-helper"

  /// Returns this half's end of the connection.
  static func start(_ templates: [SocketTemplate], port: UInt32, level: LogLevel) throws(SystemCallError)
    -> FileDescriptor
  {
    var pair: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0
    else {
      throw SystemCallError("socketpair", "privileged helper")
    }
    let ours = FileDescriptor(owning: pair[0])
    let theirs = FileDescriptor(owning: pair[1])
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // A duplicate has no close-on-exec flag.
    let high = fcntl(theirs.number, F_DUPFD, 10)
    posix_spawn_file_actions_adddup2(&actions, high, SandboxWatch.descriptor)
    posix_spawn_file_actions_addclose(&actions, high)
    let arguments =
      ["kata-trace-forwarder", argument, String(port), level.rawValue]
      + templates.map(\.description)
    var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for text in list { free(text) } }
    var process = pid_t()
    let code = posix_spawn(&process, "/proc/self/exe", &actions, nil, &list, environ)
    _ = Glibc.close(high)
    guard code == 0 else { throw SystemCallError("start", "privileged helper", code: code) }
    return ours
  }

  /// What the helper's process does.
  static func main(_ arguments: [String]) -> Int32 {
    guard arguments.count >= 3, let port = UInt32(arguments[0]), let level = LogLevel(rawValue: arguments[1])
    else { return 2 }
    // A signal to the group is for the other half, which ends this one by ending.
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
    _ = kata_no_new_privileges()
    let log = ForwarderLog(level: level)
    do throws(SystemCallError) {
      var watch = try SandboxWatch(
        arguments.dropFirst(2).compactMap { SocketTemplate($0) }, port: port, log: log)
      watch.run()
      return 0
    } catch {
      log.error("the privileged helper cannot start", ["error": error.description])
      return 1
    }
  }
}
