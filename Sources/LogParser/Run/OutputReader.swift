import CLinux
import Glibc

/// The program that reads what this one writes: the other end of a pipe or a socket.
///
/// A write that succeeded only means that the kernel holds the bytes. They are lost when the reader ends without
/// reading them, so a place in the journal counts as written out only when the reader has taken everything up to it.
/// Files and terminals have no such reader: there, what is written is written.
struct OutputReader {
  private enum Kind { case none, pipe, socket }

  /// The longest pause, in milliseconds, between two looks at how far the reader is.
  private static let longestPause: Int32 = 50

  private let number: Int32
  private let kind: Kind

  /// - Parameter number: the descriptor that is written to; it must stay open while this value is used.
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
    // A socket that cannot tell, such as one of a family without the request, is like a file.
    kind = found != .none && kata_unread_bytes(number, found == .socket ? 1 : 0) >= 0 ? found : .none
  }

  /// Whether there is a reader that can be behind.
  var isWatched: Bool { kind != .none }

  /// Whether the reader still has its end open.
  var isAlive: Bool {
    guard isWatched else { return true }
    var file = pollfd(fd: number, events: 0, revents: 0)
    while poll(&file, 1, 0) < 0, errno == EINTR {}
    return file.revents == 0
  }

  /// Whether the reader has taken all that was written.
  var hasEverything: Bool {
    switch kind {
    case .none: true
    // What a reader leaves in a pipe stays there.
    case .pipe: kata_unread_bytes(number, 0) == 0
    // What a reader leaves in a socket goes away with it: the order of the two looks matters.
    case .socket: kata_unread_bytes(number, 1) == 0 && isAlive
    }
  }

  /// How long, in milliseconds, a run that was told to end waits for its reader, and how long the reader must then live.
  private static let (longestWait, proofOfLife): (Int, Int32) = (10_000, 1000)

  /// Whether the reader takes everything within ten seconds and lives for another second. What ended this run may end
  /// its reader as well, with records in hand: only a reader that is still there afterwards has dealt with them.
  ///
  /// - Parameter stop: a descriptor that ends the wait, without proof, when it becomes readable.
  func confirms(orStop stop: Int32?) -> Bool {
    guard waitUntilRead(orStop: stop, milliseconds: Self.longestWait) else { return false }
    var files = [
      pollfd(fd: number, events: 0, revents: 0),
      pollfd(fd: stop ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    return poll(&files, 2, Self.proofOfLife) == 0
  }

  /// Waits until the reader has taken everything, for as long as it lives.
  ///
  /// - Parameters:
  ///   - stop: a descriptor that ends the wait when it becomes readable.
  ///   - limit: the longest wait in milliseconds; nil for any time.
  /// - Returns: whether the reader has taken everything.
  func waitUntilRead(orStop stop: Int32?, milliseconds limit: Int? = nil) -> Bool {
    var pause: Int32 = 1
    var waited = 0
    while true {
      if hasEverything { return true }
      if let limit, waited >= limit { return false }
      waited += Int(pause)
      // Between the two looks it may have read the rest and ended.
      if !isAlive { return hasEverything }
      // The kernel tells when the reader goes, but not when it has read everything.
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
