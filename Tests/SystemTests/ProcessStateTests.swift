import CLinux
import Glibc
import System
import TestSupport
import Testing

struct UserTests {
  @Test func rootIsFoundByNameAndByNumber() throws {
    for name in ["root", "0"] {
      let user = try #require(User(name))
      #expect(user.name == name)
      #expect(user.id == 0)
      #expect(user.group == 0)
    }
  }

  @Test(arguments: ["no-such-user-here", "", "-1", "4294967294", "root "])
  func unknownUserIsNil(_ name: String) { #expect(User(name) == nil) }
}

struct OpenFileLimitTests {
  @Test func limitIsRaisedAsFarAsTheProcessMay() {
    OpenFileLimit.raise()
    var limit = rlimit()
    #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    #expect(limit.rlim_cur == limit.rlim_max)
  }
}

/// Sets variables of the environment; nil removes one. Only in a child process: the environment belongs to all threads.
private func setEnvironment(_ variables: KeyValuePairs<String, String?>) {
  for (name, value) in variables { if let value { setenv(name, value, 1) } else { unsetenv(name) } }
}

struct TerminalTests {
  @Test func pipeIsNotATerminal() throws {
    let pipe = try PipeEnds("pipe")
    let terminal = Terminal(pipe.writeEnd.number)
    #expect(!terminal.isTerminal)
    #expect(terminal.width == nil)
  }

  @Test func widthIsThatOfTheTerminal() throws {
    let main = try FileDescriptor.open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (lock, index): (Int32, UInt32) = (0, 0)
    // TIOCSPTLCK and TIOCGPTN, which Glibc's module does not import.
    try #require(ioctl(main.number, 0x4004_5431, &lock) == 0)
    try #require(ioctl(main.number, 0x8004_5430, &index) == 0)
    let file = try FileDescriptor.open("/dev/pts/\(index)", O_RDWR | O_NOCTTY)
    let terminal = Terminal(file.number)
    #expect(terminal.isTerminal)
    #expect(terminal.width == nil)
    var size = winsize(ws_row: 24, ws_col: 132, ws_xpixel: 0, ws_ypixel: 0)
    #expect(ioctl(file.number, UInt(TIOCSWINSZ), &size) == 0)
    #expect(terminal.width == 132)
  }

  @Test func colorsDependOnTheEnvironment() async {
    await #expect(processExitsWith: .success) {
      let table: [(noColor: String?, term: String?, shows: Bool)] = [
        (nil, "xterm", true), (nil, "dumb", false), (nil, nil, false), ("1", "xterm", false),
        ("", "xterm", true),
      ]
      for row in table {
        setEnvironment(["NO_COLOR": row.noColor, "TERM": row.term])
        #expect(Terminal(STDOUT_FILENO).showsColors == row.shows, "\(row)")
      }
    }
  }
}

/// What systemd tells a service through its environment, each time in a process of its own.
struct ServiceManagerTests {
  /// A socket that receives datagrams.
  private static func listener(_ path: String) throws -> FileDescriptor {
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    try #require(number >= 0)
    let file = FileDescriptor(owning: number)
    try #require(kata_unix_socket(file.number, path, 0) == 0)
    return file
  }

  /// The next message that was received; nil if there is none.
  private static func message(_ file: borrowing FileDescriptor) -> String? {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = recv(file.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
  }

  @Test func stateIsSentToTheSocket() async {
    await #expect(processExitsWith: .success) {
      let folder = try ScratchFolder()
      let socket = try Self.listener(folder["notify"])
      setEnvironment(["NOTIFY_SOCKET": folder["notify"]])
      let manager = ServiceManager()
      manager.notify("READY=1")
      #expect(Self.message(socket) == "READY=1")
      manager.notify("STATUS=two words")
      #expect(Self.message(socket) == "STATUS=two words")
      #expect(Self.message(socket) == nil)
    }
  }

  /// systemd creates its socket again when it is re-executed.
  @Test func recreatedSocketIsFound() async {
    await #expect(processExitsWith: .success) {
      let folder = try ScratchFolder()
      let first = try Self.listener(folder["notify"])
      setEnvironment(["NOTIFY_SOCKET": folder["notify"]])
      let manager = ServiceManager()
      unlink(folder["notify"])
      manager.notify("WATCHDOG=1")
      #expect(Self.message(first) == nil)
      let second = try Self.listener(folder["notify"])
      manager.notify("WATCHDOG=1")
      #expect(Self.message(second) == "WATCHDOG=1")
    }
  }

  @Test func nothingHappensWithoutAServiceManager() async {
    await #expect(processExitsWith: .success) {
      setEnvironment(["NOTIFY_SOCKET": nil, "WATCHDOG_USEC": nil])
      let manager = ServiceManager()
      manager.notify("READY=1")
      #expect(manager.watchdog == nil)
    }
  }

  @Test func watchdogIsThatOfThisProcess() async {
    await #expect(processExitsWith: .success) {
      let table: [(time: String?, process: String?, watchdog: UInt64?)] = [
        ("3000000", nil, 3_000_000), ("3000000", String(getpid()), 3_000_000), ("3000000", "1", nil),
        ("soon", nil, nil), (nil, nil, nil),
      ]
      for row in table {
        setEnvironment(["WATCHDOG_USEC": row.time, "WATCHDOG_PID": row.process])
        #expect(ServiceManager().watchdog == row.watchdog, "\(row)")
      }
    }
  }

  /// A real hand-over, whose descriptors begin at 3, is tested with the forwarder's process.
  @Test func socketsForAnotherProcessAreNotTaken() async {
    await #expect(processExitsWith: .success) {
      let own = String(getpid())
      let table: [(process: String?, count: String?)] = [
        ("1", "1"), (nil, "1"), (own, "0"), (own, "65"), (own, "x"), (own, nil),
      ]
      for row in table {
        setEnvironment(["LISTEN_PID": row.process, "LISTEN_FDS": row.count])
        ServiceManager.takeSockets { file, name in
          // It is not ours to close.
          _ = file.release()
          Issue.record("took a socket with the name \(name)")
        }
      }
    }
  }
}
