import CLinux
import Glibc

/// The program that reads what this one writes: the other end of a pipe or a socket.
///
/// A successful write only means that the kernel has the bytes. They are lost if the reader exits without reading them,
/// so a position in the journal counts as written only when the reader has read everything up to it. Files and
/// terminals have no such reader: there, a write is final.
struct OutputReader {
  private enum Kind { case none, pipe, socket }

  /// The longest pause, in milliseconds, between two checks of the reader's progress.
  private static let longestPause: Int32 = 50

  private let number: Int32
  private let kind: Kind

  /// - Parameter number: the output's descriptor, which must stay open while this value is used.
  init(_ number: Int32) {
    self.number = number
    var status = stat()
    guard fstat(number, &status) == 0 else {
      kind = .none
      return
    }
    let found: Kind
    switch status.st_mode & S_IFMT {
    case S_IFIFO: found = .pipe
    case S_IFSOCK: found = .socket
    default: found = .none
    }
    // A socket that does not support the request is treated like a file.
    kind = found != .none && kata_unread_bytes(number, found == .socket ? 1 : 0) >= 0 ? found : .none
  }

  /// Whether there is a reader that can lag behind.
  var isWatched: Bool { kind != .none }

  /// Whether the reader still has its end open.
  var isAlive: Bool {
    guard isWatched else { return true }
    var file = pollfd(fd: number, events: 0, revents: 0)
    while poll(&file, 1, 0) < 0, errno == EINTR {}
    return file.revents == 0
  }

  /// Whether the reader has read everything that was written.
  var hasEverything: Bool {
    switch kind {
    case .none: true
    // Data that a reader leaves in a pipe stays there.
    case .pipe: kata_unread_bytes(number, 0) == 0
    // Data that a reader leaves in a socket is lost with it: the order of the two checks matters.
    case .socket: kata_unread_bytes(number, 1) == 0 && isAlive
    }
  }

  /// How long, in milliseconds, a run that was told to end waits for its reader, and how long that must then stay
  /// alive.
  private static let (longestWait, proofOfLife): (Int, Int32) = (10_000, 1000)

  /// Whether the reader reads everything within ten seconds and stays alive for another second. Whatever ended this run
  /// may also end its reader before it has processed everything: only a reader that survives has.
  ///
  /// - Parameter stop: a descriptor that ends the wait, unconfirmed, when it becomes readable.
  func confirms(orStop stop: Int32?) -> Bool {
    guard waitUntilRead(orStop: stop, milliseconds: Self.longestWait) else { return false }
    var files = [
      pollfd(fd: number, events: 0, revents: 0),
      pollfd(fd: stop ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    return poll(&files, 2, Self.proofOfLife) == 0
  }

  /// Waits until the reader has read everything, or has exited.
  ///
  /// - Parameters:
  ///   - stop: a descriptor that ends the wait when it becomes readable.
  ///   - limit: the longest wait in milliseconds; nil for no limit.
  /// - Returns: whether the reader has read everything.
  func waitUntilRead(orStop stop: Int32?, milliseconds limit: Int? = nil) -> Bool {
    var pause: Int32 = 1
    var waited = 0
    while true {
      if hasEverything { return true }
      if let limit, waited >= limit { return false }
      waited += Int(pause)
      // Between the two checks it may have read the rest and exited.
      if !isAlive { return hasEverything }
      // The kernel reports when the reader exits, but not when it has read everything.
      var files = [
        pollfd(fd: number, events: 0, revents: 0),
        pollfd(fd: stop ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&files, 2, pause)
      if files[1].revents != 0 { return hasEverything }
      pause = min(pause * 2, Self.longestPause)
    }
  }
}
