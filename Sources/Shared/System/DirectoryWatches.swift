import CLinux
import Glibc

/// Directories that are watched with inotify, each for some keys.
package struct DirectoryWatches<Key: Hashable>: ~Copyable {
  /// A directory that a key depends on, by its watch, and the relevant name in it; nil for all names.
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

  private let notices: FileNotices
  private var interests: [Int32: Interest] = [:]
  private var steps: [Key: [Step]] = [:]

  /// A name comes or goes or gets another owner, or the directory itself does.
  private static var mask: UInt32 {
    UInt32(
      IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
        | IN_ONLYDIR)
  }

  package init() throws(SystemCallError) {
    notices = try FileNotices("directories")
  }

  /// The descriptor that is readable when something changed.
  package var descriptor: Int32 { notices.file.number }

  /// How many directories are watched.
  package var count: Int { interests.count }

  /// Watches an open directory. Its watch is what no other directory ever has; an inode's number may come back.
  package func watch(_ directory: Int32) throws(SystemCallError) -> Int32 {
    try notices.watch("/proc/self/fd/\(directory)", Self.mask, subject: "directory")
  }

  /// Sets what a key depends on, in place of what was set before.
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
      notices.end(step.watch)
    } else {
      interests[step.watch] = interest
    }
  }

  /// The keys for which something has changed; nil if the kernel dropped events.
  package mutating func changes() -> Set<Key>? {
    var result = Set<Key>()
    var isWhole = true
    while true {
      let events = notices.next()
      if events.isEmpty { return isWhole ? result : nil }
      for event in events {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { isWhole = false }
        result.formUnion(interests[event.watch]?.keys(event.name) ?? [])
        if event.mask & UInt32(IN_IGNORED) != 0 { interests[event.watch] = nil }
      }
    }
  }
}
