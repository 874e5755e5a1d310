import System
import CLinux
import Glibc

/// Waits for a file to grow, or to make way for another one of its name, without looking at it again and again.
final class FileWatch {
  enum Event {
    case grown
    /// The path names another file now, as after a log rotation.
    case replaced
    /// SIGINT or SIGTERM came.
    case stopped
    /// Nothing happened for as long as the caller wanted to wait.
    case nothing
  }

  /// Why a followed file is read from a start again.
  enum NewStart {
    /// Its name is another file's now.
    case replaced
    /// It was truncated in place, as `copytruncate` of logrotate does.
    case truncated
  }

  /// How long, in milliseconds, to wait for the new file after a rotation before looking again.
  private static let rotationDelay: Int32 = 100

  private let path: String
  private let notices: FileNotices
  private let signals: StopSignals
  private var watch: Int32 = -1
  private var identity: (device: dev_t, inode: ino_t)
  private var hasGone = false
  /// Whether the old file was read once more after the new one had appeared.
  private var isReadOut = false

  init(_ path: String) throws(SystemCallError) {
    self.path = path
    notices = try FileNotices(path)
    signals = try StopSignals()
    identity = (0, 0)
    try move()
  }

  /// Readable when the user has ended the run.
  var stopDescriptor: Int32 { signals.file.number }

  /// Takes the signal that ended the run.
  func takeSignal() { _ = signals.next() }

  /// Watches the file that the path names now.
  func move() throws(SystemCallError) {
    if watch >= 0 { notices.end(watch) }
    watch = -1
    watch = try notices.watch(
      path, UInt32(IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF), subject: path)
    identity = current() ?? (0, 0)
    hasGone = false
    isReadOut = false
  }

  private func current() -> (device: dev_t, inode: ino_t)? {
    var status = stat()
    return stat(path, &status) == 0 ? (status.st_dev, status.st_ino) : nil
  }

  /// Waits for an event, for so many milliseconds at most if `patience` is not negative.
  func wait(_ patience: Int32) throws(SystemCallError) -> Event {
    let end = UInt64(MonotonicClock.milliseconds) + UInt64(max(0, patience))
    while true {
      if hasGone, let now = current(), now != identity {
        if isReadOut { return .replaced }
        isReadOut = true
        return .grown
      }
      var files = [
        pollfd(fd: notices.file.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals.file.number, events: Int16(POLLIN), revents: 0),
      ]
      let now = UInt64(MonotonicClock.milliseconds)
      let left = patience < 0 ? -1 : Int32(clamping: max(now, end) - now)
      let delay = !hasGone ? left : left < 0 ? Self.rotationDelay : min(left, Self.rotationDelay)
      if poll(&files, 2, delay) < 0 {
        if errno == EINTR { continue }
        throw SystemCallError("poll", path)
      }
      if files[1].revents != 0 { return .stopped }
      guard files[0].revents != 0 else {
        if left == 0 { return .nothing }
        continue
      }
      // What happened does not matter: the file is looked at after each notice.
      notices.clear()
      // Moved or removed: the file is still written to until its writer opens the new one.
      if current().map({ $0 != identity }) ?? true { hasGone = true }
      return .grown
    }
  }
}
