import CLinux
import Glibc

/// Directories that are watched by inotify, each for the sake of some keys.
package struct DirectoryWatches<Key: Hashable>: ~Copyable {
  /// A directory that a key has to do with, by its watch, and the name in it that matters; nil when all do.
  package struct Step: Hashable {
    package var watch: Int32
    package var name: String?

    package init(watch: Int32, name: String?) {
      self.watch = watch
      self.name = name
    }
  }

  private struct Interest {
    var all: Set<Key> = []
    var named: [String: Set<Key>] = [:]

    var isEmpty: Bool { all.isEmpty && named.isEmpty }

    /// Those that an event is for; one without a name is about the directory itself.
    func keys(_ name: String) -> Set<Key> {
      name.isEmpty ? named.values.reduce(all) { $0.union($1) } : all.union(named[name] ?? [])
    }
  }

  package let file: FileDescriptor
  private var interests: [Int32: Interest] = [:]
  private var steps: [Key: [Step]] = [:]

  /// A name comes or goes or gets another owner, or the directory itself does.
  private static var mask: UInt32 {
    UInt32(
      IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
        | IN_ONLYDIR)
  }

  package init() throws(SystemCallError) {
    let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    guard number >= 0 else { throw SystemCallError("inotify_init1", "directories") }
    file = FileDescriptor(owning: number)
  }

  /// How many directories are watched.
  package var count: Int { interests.count }

  /// Watches an open directory. Its watch is what no other directory ever has; an inode's number may come back.
  package func watch(_ directory: Int32) throws(SystemCallError) -> Int32 {
    let watch = inotify_add_watch(file.number, "/proc/self/fd/\(directory)", Self.mask)
    guard watch >= 0 else { throw SystemCallError("inotify_add_watch", "directory") }
    return watch
  }

  /// Says what a key has to do with, in the place of what was said before.
  package mutating func set(_ key: Key, _ new: [Step]) {
    let old = steps.updateValue(new, forKey: key) ?? []
    if old == new { return }
    for step in new {
      if let name = step.name {
        interests[step.watch, default: Interest()].named[name, default: []].insert(key)
      } else {
        interests[step.watch, default: Interest()].all.insert(key)
      }
    }
    for step in Set(old).subtracting(new) { leave(step, key) }
    if new.isEmpty { steps[key] = nil }
  }

  private mutating func leave(_ step: Step, _ key: Key) {
    // The directory may be gone, and its watch with it.
    guard var interest = interests.removeValue(forKey: step.watch) else { return }
    if let name = step.name {
      interest.named[name]?.remove(key)
      if interest.named[name]?.isEmpty == true { interest.named[name] = nil }
    } else {
      interest.all.remove(key)
    }
    if interest.isEmpty {
      _ = inotify_rm_watch(file.number, step.watch)
    } else {
      interests[step.watch] = interest
    }
  }

  /// The keys for which something changed since; nil when the kernel could not keep all events.
  package mutating func changes() -> Set<Key>? {
    var result = Set<Key>()
    var isWhole = true
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(file.number, &buffer, buffer.count)
      guard count > 0 else { return isWhole ? result : nil }
      var offset = 0
      while let event = Event(buffer[..<count], at: &offset) {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { isWhole = false }
        result.formUnion(interests[event.watch]?.keys(event.name) ?? [])
        if event.mask & UInt32(IN_IGNORED) != 0 { interests[event.watch] = nil }
      }
    }
  }

  private struct Event {
    var watch: Int32
    var mask: UInt32
    var name: String

    /// Reads a watch, a mask, a cookie, the length of the name's room, and the name with zeros behind it.
    init?(_ bytes: ArraySlice<UInt8>, at offset: inout Int) {
      guard offset + 16 <= bytes.endIndex else { return nil }
      let start = offset
      let (watch, mask, room) = bytes.withUnsafeBytes {
        (
          $0.loadUnaligned(fromByteOffset: start, as: Int32.self),
          $0.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self),
          Int($0.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self))
        )
      }
      offset += 16 + room
      guard offset <= bytes.endIndex else { return nil }
      self.watch = watch
      self.mask = mask
      name = String(decoding: bytes[(start + 16)..<offset].prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
