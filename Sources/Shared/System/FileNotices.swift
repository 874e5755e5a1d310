import CLinux
import Glibc

/// Events of files and directories: an inotify instance.
package struct FileNotices: ~Copyable {
  /// One thing that happened.
  package struct Event {
    /// Which watch it is for, as ``watch(_:_:subject:)`` returned it.
    package var watch: Int32
    /// What happened, as bits of inotify(7).
    package var mask: UInt32
    /// The name in a watched directory; empty when the event is about the watched file or directory itself.
    package var name: String
  }

  /// Readable when there are events.
  package let file: FileDescriptor

  /// - Parameter subject: the watched object's name in errors.
  package init(_ subject: String) throws(SystemCallError) {
    let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    guard number >= 0 else { throw SystemCallError("inotify_init1", subject) }
    file = FileDescriptor(owning: number)
  }

  /// Watches what a path names now, for the events of `mask`; returns the number of the watch. No later watch ever has
  /// the same number, unless it is for the same file.
  package func watch(_ path: String, _ mask: UInt32, subject: String) throws(SystemCallError) -> Int32 {
    let watch = inotify_add_watch(file.number, path, mask)
    guard watch >= 0 else { throw SystemCallError("inotify_add_watch", subject) }
    return watch
  }

  /// Ends a watch, which may have ended by itself.
  package func end(_ watch: Int32) { _ = inotify_rm_watch(file.number, watch) }

  /// The next events, a buffer's worth of them; empty if there are no more.
  package func next() -> [Event] {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    let count = Glibc.read(file.number, &buffer, buffer.count)
    guard count > 0 else { return [] }
    return Self.events(buffer[..<count])
  }

  /// Skips all events.
  package func clear() {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
      while Glibc.read(file.number, buffer.baseAddress, buffer.count) > 0 {}
    }
  }

  /// Each event is a watch, a mask, a cookie, the length of the name's room, and the name with zeros after it:
  /// inotify(7).
  static func events(_ bytes: ArraySlice<UInt8>) -> [Event] {
    var result: [Event] = []
    var rest = bytes
    while rest.count >= 16 {
      let words = rest.withUnsafeBytes { head in
        (0..<4).map { head.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
      }
      rest = rest.dropFirst(16)
      let room = Int(words[3])
      guard room <= rest.count else { return result }
      let name = String(decoding: rest.prefix(room).prefix { $0 != 0 }, as: UTF8.self)
      result.append(Event(watch: Int32(bitPattern: words[0]), mask: words[1], name: name))
      rest = rest.dropFirst(room)
    }
    return result
  }
}
