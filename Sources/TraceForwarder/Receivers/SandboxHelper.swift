import CLinux
import Glibc
import Logging
import System

/// Starts the privileged half, which ``SandboxWatch`` is, as a process.
enum SandboxHelper {
  /// The first argument of the process that is the privileged half.
  static let argument = "--privileged-helper"
  /// Where its end of the connection is when it starts.
  private static let descriptor: Int32 = 3

  /// Returns this half's end of the connection.
  static func start(_ templates: [SocketTemplate], port: UInt32, level: LogLevel) throws(SystemCallError)
    -> FileDescriptor
  {
    // Both halves start no program that would have more rights than they.
    guard kata_no_new_privileges() == 0 else { throw SystemCallError("prctl", "privileged helper") }
    var pair: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0
    else {
      throw SystemCallError("socketpair", "privileged helper")
    }
    let ours = FileDescriptor(owning: pair[0])
    let theirs = FileDescriptor(owning: pair[1])
    let arguments =
      ["kata-trace-forwarder", argument, String(port), level.name]
      + templates.map(\.description)
    do throws(SystemCallError) {
      // The helper ends by itself when this half has ended.
      _ = try Subprocess.start(
        "/proc/self/exe", arguments, descriptors: [.init(theirs.number, as: descriptor)])
    } catch {
      throw SystemCallError("start", "privileged helper", code: error.code)
    }
    return ours
  }

  /// What the helper's process does.
  static func main(_ arguments: [String]) -> Int32 {
    guard arguments.count >= 3, let port = UInt32(arguments[0]), let level = LogLevel(option: arguments[1])
    else { return 2 }
    // A signal to the group is for the other half, which ends this one by ending.
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
    let log = StructuredLog(level: level, program: "kata-trace-forwarder", source: "trace-forwarder")
    do throws(SystemCallError) {
      // Groups of root's would count where it works as another user.
      if geteuid() == 0, setgroups(0, nil) != 0 { throw SystemCallError("setgroups", "privileged helper") }
      var watch = try SandboxWatch(
        arguments.dropFirst(2).compactMap { SocketTemplate($0) }, port: port,
        connection: FileDescriptor(owning: descriptor), log: log
      )
      watch.run()
      return 0
    } catch {
      log.error("the privileged helper cannot start", ["error": error.description])
      return 1
    }
  }
}
