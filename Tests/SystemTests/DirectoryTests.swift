import Glibc
import System
import TestSupport
import Testing

struct DirectoryWatchesTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func keysOfANameAreToldOfThatNameAlone() throws {
    var watches = try DirectoryWatches<String>()
    let directory = try FileDescriptor.open(folder.path, O_RDONLY | O_DIRECTORY)
    let watch = try watches.watch(directory.number)
    watches.set("one", [.init(watch: watch, name: "one")])
    watches.set("two", [.init(watch: watch, name: "two")])
    watches.set("any", [.init(watch: watch, name: nil)])
    #expect(watches.changes() == [])
    try folder.write("one", "")
    #expect(watches.changes() == ["one", "any"])
    try folder.write("three", "")
    #expect(watches.changes() == ["any"])
    #expect(unlink(folder["one"]) == 0)
    #expect(watches.changes() == ["one", "any"])
  }

  @Test func removedDirectoryIsReportedToAllItsKeys() throws {
    #expect(mkdir(folder["d"], 0o700) == 0)
    var watches = try DirectoryWatches<String>()
    var watch: Int32 = -1
    do {
      // An open directory would stay when its name is removed.
      let directory = try FileDescriptor.open(folder["d"], O_RDONLY | O_DIRECTORY)
      watch = try watches.watch(directory.number)
    }
    watches.set("one", [.init(watch: watch, name: "one")])
    watches.set("any", [.init(watch: watch, name: nil)])
    #expect(rmdir(folder["d"]) == 0)
    #expect(watches.changes() == ["one", "any"])
    #expect(watches.count == 0)
  }

  @Test func keyWithoutStepsGetsNoChanges() throws {
    var watches = try DirectoryWatches<String>()
    let directory = try FileDescriptor.open(folder.path, O_RDONLY | O_DIRECTORY)
    let watch = try watches.watch(directory.number)
    watches.set("one", [.init(watch: watch, name: "a")])
    #expect(watches.count == 1)
    watches.set("one", [])
    #expect(watches.count == 0)
    try folder.write("a", "")
    #expect(watches.changes() == [])
  }

  @Test func eventQueueOverflowIsReported() throws {
    var watches = try DirectoryWatches<String>()
    let directory = try FileDescriptor.open(folder.path, O_RDONLY | O_DIRECTORY)
    let watch = try watches.watch(directory.number)
    watches.set("any", [.init(watch: watch, name: nil)])
    let limit = try String(
      decoding: FileDescriptor.open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY)
        .bytesToEnd(), as: UTF8.self)
    let events = try #require(Int(limit.prefix { $0.isNumber }))
    // Equal events in a row become one, so two names alternate.
    try #require(events <= 1 << 20)
    for name in [folder["a"], folder["b"]] { close(creat(name, 0o600)) }
    for _ in 0...events / 2 { for name in [folder["a"], folder["b"]] { _ = chmod(name, 0o600) } }
    #expect(watches.changes() == nil)
    #expect(watches.changes() == [])
  }

  @Test func regularFileIsNotWatched() throws {
    let watches = try DirectoryWatches<String>()
    let file = try FileDescriptor.open(try folder.write("a", ""), O_RDONLY)
    let error = #expect(throws: SystemCallError.self) { try watches.watch(file.number) }
    #expect(error?.code == ENOTDIR)
  }
}

extension FileDescriptor {
  /// All bytes of a file that tells no size, such as those of /proc.
  fileprivate borrowing func bytesToEnd() throws -> [UInt8] { try bytes(at: 0, count: 4096, subject: "test") }
}

struct DirectoryListingTests {
  @Test func allNamesAreListedButTheDirectoryItself() throws {
    let folder = try ScratchFolder()
    #expect(try DirectoryListing.names(in: folder.path) == [])
    for name in ["a", ".hidden", "ä", "with space"] { try folder.write(name, "") }
    #expect(try DirectoryListing.names(in: folder.path).sorted() == folder.names)
    #expect(throws: SystemCallError.self) { try DirectoryListing.names(in: folder["missing"]) }
  }

  @Test func temporaryDirectoryGoesWithItsContent() throws {
    let path: String
    do {
      let directory = try TemporaryDirectory()
      path = directory.path
      #expect(mkdir("\(path)/inner", 0o700) == 0)
      close(creat("\(path)/inner/file", 0o600))
      #expect(access("\(path)/inner/file", F_OK) == 0)
    }
    #expect(access(path, F_OK) != 0)
  }
}

struct CheckedDirectoryTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func pathEndsAtTheLastExistingDirectory() throws {
    #expect(mkdir(folder["a"], 0o700) == 0)
    let whole = try CheckedDirectory(folder["a"])
    #expect(whole.isComplete == true)
    let part = try CheckedDirectory(folder["a/b/c"])
    #expect(part.isComplete == false)
    var status = stat()
    #expect(stat(folder["a"], &status) == 0)
    #expect(part.status.st_ino == status.st_ino)
  }

  @Test func fileOnTheWayIsAnError() throws {
    try folder.write("a", "")
    let error = #expect(throws: SystemCallError.self) { _ = try CheckedDirectory(folder["a/b"]).isComplete }
    #expect(error?.code == ENOTDIR)
  }

  @Test func endlessLinksAreAnError() throws {
    #expect(symlink("b", folder["a"]) == 0)
    #expect(symlink("a", folder["b"]) == 0)
    let error = #expect(throws: SystemCallError.self) { _ = try CheckedDirectory(folder["a"]).isComplete }
    #expect(error?.code == ELOOP)
  }

  @Test(.enabled(if: geteuid() == 0, "only root has rights that could be abused"))
  func rootDoesNotFollowAUsersLink() throws {
    #expect(mkdir(folder["user"], 0o755) == 0)
    #expect(chown(folder["user"], 65534, 65534) == 0)
    #expect(symlink("/etc", folder["user/link"]) == 0)
    let error = #expect(throws: SystemCallError.self) {
      _ = try CheckedDirectory(folder["user/link"]).isComplete
    }
    #expect(error?.code == ELOOP)
    // Nor a directory of another user's in a user's.
    #expect(mkdir(folder["user/root"], 0o755) == 0)
    let other = #expect(throws: SystemCallError.self) {
      _ = try CheckedDirectory(folder["user/root"]).isComplete
    }
    #expect(other?.code == EPERM)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can make files as another user"))
  func filesAreMadeAsTheOwnerOfTheDirectory() throws {
    #expect(mkdir(folder["user"], 0o755) == 0)
    #expect(chown(folder["user"], 65534, 65534) == 0)
    // The owner must be able to reach it.
    #expect(chmod(folder.path, 0o755) == 0)
    let directory = try CheckedDirectory(folder["user"])
    #expect(directory.isTrusted == false)
    let file = try directory.asOwner { () throws(SystemCallError) in
      try FileDescriptor.open("\(directory.path)/a", O_WRONLY | O_CREAT, mode: 0o600)
    }
    #expect(try file.status("a").st_uid == 65534)
  }

  @Test func socketIsRemovedOnlyWhileItIsTheSame() throws {
    let directory = try CheckedDirectory(folder.path)
    #expect(directory.socket("s") == nil)
    let first = try ListeningSocket.unix(folder["s"])
    let old = directory.socket("s")
    #expect(old != nil)
    #expect(rename(folder["s"], folder["aside"]) == 0)
    let second = try ListeningSocket.unix(folder["s"])
    directory.remove("s", ifIs: old)
    #expect(folder.names == ["aside", "s"])
    directory.remove("s", ifIs: directory.socket("s"))
    #expect(folder.names == ["aside"])
    #expect(first.number != second.number)
  }
}
