import Basics
import CLinux
import Glibc

/// Directories that are watched by inotify, each for the sake of some keys; a key has one directory at a time.
struct DirectoryWatches<Key: Hashable>: ~Copyable {
  let file: FileDescriptor
  private var keys: [Int32: Set<Key>] = [:]
  private var watches: [Key: Int32] = [:]

  /// A name comes or goes, or the directory itself goes or gets another owner.
  private static var mask: UInt32 {
    UInt32(
      IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
        | IN_ONLYDIR)
  }

  init() throws(SystemCallError) {
    let number = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    guard number >= 0 else { throw SystemCallError("inotify_init1", "directories") }
    file = FileDescriptor(owning: number)
  }

  /// How many directories are watched.
  var count: Int { keys.count }

  /// The watch of a key's directory, which no other directory ever has; an inode's number may come back.
  func watch(of key: Key) -> Int32? { watches[key] }

  /// Watches a directory for a key, in the place of the one before.
  mutating func watch(_ directory: borrowing CheckedDirectory, for key: Key) throws(SystemCallError) {
    let watch = inotify_add_watch(file.number, directory.path, Self.mask)
    guard watch >= 0 else {
      let error = SystemCallError("inotify_add_watch", "directory")
      forget(key)
      throw error
    }
    guard watches[key] != watch else { return }
    forget(key)
    watches[key] = watch
    keys[watch, default: []].insert(key)
  }

  mutating func forget(_ key: Key) {
    guard let watch = watches.removeValue(forKey: key) else { return }
    keys[watch]?.remove(key)
    guard keys[watch]?.isEmpty == true else { return }
    keys[watch] = nil
    _ = inotify_rm_watch(file.number, watch)
  }

  /// The keys whose directories changed since; nil when the kernel could not keep all events.
  mutating func changes() -> Set<Key>? {
    var result = Set<Key>()
    var isWhole = true
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(file.number, &buffer, buffer.count)
      guard count > 0 else { break }
      buffer.withUnsafeBytes { bytes in
        var offset = 0
        // An event is a watch, a mask, a cookie and the length of the name behind it.
        while offset + 16 <= count {
          let watch = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
          let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
          offset += 16 + Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
          if mask & UInt32(IN_Q_OVERFLOW) != 0 { isWhole = false }
          result.formUnion(keys[watch] ?? [])
          // The directory is gone and its watch with it.
          guard mask & UInt32(IN_IGNORED) != 0 else { continue }
          for key in keys.removeValue(forKey: watch) ?? [] { watches[key] = nil }
        }
      }
    }
    return isWhole ? result : nil
  }
}
