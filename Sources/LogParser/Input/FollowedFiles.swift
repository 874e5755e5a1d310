import CLinux
import Glibc
import System

/// Waits for files to grow, to be replaced, or to appear, without polling.
final class FollowedFiles {
  /// What may have happened to a file.
  enum Change {
    case grown
    /// The path names another file now, as after a log rotation, or a file exists at last.
    case replaced
  }

  enum Event {
    /// Files by their indexes in the list, each once.
    case changes([(index: Int, change: Change)])
    /// SIGINT or SIGTERM arrived.
    case stopped
    /// The wait timed out.
    case nothing
  }

  /// Why a followed file is read from its start again.
  enum NewStart {
    /// The name now belongs to another file.
    case replaced
    /// It was truncated in place, as `copytruncate` of logrotate does.
    case truncated
  }

  /// How long, in milliseconds, to wait for the new file after a rotation before checking again.
  private static let rotationDelay: Int32 = 100
  /// The same for a file whose directory does not exist either, or cannot be watched.
  private static let absenceDelay: Int32 = 1000

  private struct File {
    let path: String
    var watch: Int32 = -1
    /// The watch of the directory, while the file does not exist.
    var directoryWatch: Int32 = -1
    var identity: (device: dev_t, inode: ino_t) = (0, 0)
    var isMissing = false
    var hasGone = false
    /// Whether the old file was read once more after the new one appeared.
    var isReadOut = false

    func current() -> (device: dev_t, inode: ino_t)? {
      var status = stat()
      return stat(path, &status) == 0 ? (status.st_dev, status.st_ino) : nil
    }

    /// A known change without an inotify event.
    mutating func pending() -> Change? {
      guard isMissing || hasGone, let now = current(), isMissing || now != identity else { return nil }
      if isMissing || isReadOut { return .replaced }
      isReadOut = true
      return .grown
    }

    /// The file was moved or removed; its writer may still write to it until it opens the new one.
    mutating func noteAbsence() {
      if !isMissing, current().map({ $0 != identity }) ?? true { hasGone = true }
    }
  }

  private var files: [File]
  private let notices: FileNotices
  private let signals: StopSignals

  init(_ paths: [String]) throws(SystemCallError) {
    files = paths.map { File(path: $0) }
    notices = try FileNotices(paths.first ?? "files")
    signals = try StopSignals()
    for index in files.indices { _ = try move(index) }
  }

  /// Readable when the user has ended the run.
  var stopDescriptor: Int32 { signals.file.number }

  /// Consumes the signal that ended the run.
  func takeSignal() { _ = signals.next() }

  /// Whether the file did not exist at the last check.
  func isMissing(_ index: Int) -> Bool { files[index].isMissing }

  /// Watches the file that a path names now; false if there is none, which is then waited for.
  func move(_ index: Int) throws(SystemCallError) -> Bool {
    if files[index].watch >= 0 { notices.end(files[index].watch) }
    endDirectoryWatch(index)
    let path = files[index].path
    files[index] = File(path: path)
    do throws(SystemCallError) {
      files[index].watch = try notices.watch(
        path, UInt32(IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF), subject: path)
    } catch {
      guard error.code == ENOENT else { throw error }
      files[index].isMissing = true
      return false
    }
    files[index].identity = files[index].current() ?? (0, 0)
    return true
  }

  private func endDirectoryWatch(_ index: Int) {
    let watch = files[index].directoryWatch
    files[index].directoryWatch = -1
    // Other files may be in the same directory.
    if watch >= 0, !files.contains(where: { $0.directoryWatch == watch }) { notices.end(watch) }
  }

  /// Watches the directories of files that do not exist; those that cannot be watched are polled.
  private func watchDirectories() {
    for index in files.indices where files[index].isMissing && files[index].directoryWatch < 0 {
      let path = files[index].path
      let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
      files[index].directoryWatch =
        (try? notices.watch(
          directory, UInt32(IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR), subject: directory)) ?? -1
    }
  }

  /// Waits for an event, at most `patience` milliseconds if that is not negative.
  func wait(_ patience: Int32) throws(SystemCallError) -> Event {
    let end = UInt64(MonotonicClock.milliseconds) + UInt64(max(0, patience))
    while true {
      watchDirectories()
      let known = files.indices.compactMap { index in
        files[index].pending().map { (index: index, change: $0) }
      }
      if !known.isEmpty { return .changes(known) }
      var descriptors = [
        pollfd(fd: notices.file.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signals.file.number, events: Int16(POLLIN), revents: 0),
      ]
      let now = UInt64(MonotonicClock.milliseconds)
      let left = patience < 0 ? -1 : Int32(clamping: max(now, end) - now)
      if poll(&descriptors, 2, delay(left)) < 0 {
        if errno == EINTR { continue }
        throw SystemCallError("poll", files.first?.path ?? "files")
      }
      if descriptors[1].revents != 0 { return .stopped }
      guard descriptors[0].revents != 0 else {
        if left == 0 { return .nothing }
        continue
      }
      let grown = noticed()
      if !grown.isEmpty { return .changes(grown.map { ($0, .grown) }) }
    }
  }

  /// How long to wait for an inotify event if `left` milliseconds are left; negative means no limit.
  private func delay(_ left: Int32) -> Int32 {
    let wanted =
      files.contains(where: \.hasGone)
      ? Self.rotationDelay
      : files.contains { $0.isMissing && $0.directoryWatch < 0 } ? Self.absenceDelay : -1
    return wanted < 0 ? left : left < 0 ? wanted : min(left, wanted)
  }

  /// Reads the inotify events and returns their files. The kind of event does not matter: a file is checked after each.
  private func noticed() -> [Int] {
    var result: Set<Int> = []
    while case let events = notices.next(), !events.isEmpty {
      for event in events {
        let isOverflow = event.mask & UInt32(IN_Q_OVERFLOW) != 0
        for index in files.indices {
          if isOverflow || files[index].watch == event.watch { result.insert(index) }
          // The directory itself may have been removed.
          if files[index].directoryWatch == event.watch, event.mask & UInt32(IN_IGNORED) != 0 {
            files[index].directoryWatch = -1
          }
        }
      }
    }
    for index in result { files[index].noteAbsence() }
    return result.filter { !files[$0].isMissing }.sorted()
  }
}
