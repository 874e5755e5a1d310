import Glibc
import System
import TestSupport
import Testing

struct AtomicFileTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func replace(_ name: String, _ text: String, _ durability: AtomicFile.Durability = .none) throws {
    try AtomicFile.replace(folder[name], mode: 0o640, durability: durability) {
      file throws(SystemCallError) in
      try file.writeAll(Array(text.utf8), subject: name)
    }
  }

  @Test(arguments: [AtomicFile.Durability.none, .content, .name])
  func newContentTakesThePlaceOfTheOld(_ durability: AtomicFile.Durability) throws {
    try replace("a", "old", durability)
    #expect(folder.text("a") == "old")
    try replace("a", "new and longer", durability)
    #expect(folder.text("a") == "new and longer")
    try replace("a", "", durability)
    #expect(folder.text("a") == "")
    #expect(folder.names == ["a"])
  }

  @Test func failureDuringTheWriteKeepsTheOldContentAndLeavesNothingElse() throws {
    try folder.write("a", "old")
    let failure = SystemCallError("write", "a", code: ENOSPC)
    #expect(throws: SystemCallError.self) {
      try AtomicFile.replace(folder["a"], mode: 0o600, durability: .name) { file throws(SystemCallError) in
        try file.writeAll([1, 2, 3], subject: "a")
        throw failure
      }
    }
    #expect(folder.text("a") == "old")
    #expect(folder.names == ["a"])
  }

  @Test func untilTheWriteReturnsThePathNamesTheOldContent() throws {
    try folder.write("a", "old")
    try AtomicFile.replace(folder["a"], mode: 0o600, durability: .none) { file throws(SystemCallError) in
      try file.writeAll(Array("new".utf8), subject: "a")
      #expect(folder.text("a") == "old")
    }
    #expect(folder.text("a") == "new")
  }

  @Test func whatAKilledProcessLeftIsOverwritten() throws {
    try folder.write("a.tmp", "the beginning of something much longer")
    try replace("a", "new")
    #expect(folder.text("a") == "new")
    #expect(folder.names == ["a"])
  }

  @Test func permissionsAreThoseThatWereAskedFor() throws {
    try folder.write("a", "old")
    #expect(chmod(folder["a"], 0o600) == 0)
    try replace("a", "new")
    var status = stat()
    #expect(stat(folder["a"], &status) == 0)
    // Less the umask of the process, which most often takes nothing of 0640.
    #expect(status.st_mode & 0o777 & ~0o640 == 0)
    #expect(status.st_mode & 0o600 == 0o600)
  }

  @Test func symbolicLinkAtThePathIsReplacedAndNotFollowed() throws {
    try folder.write("other", "untouched")
    #expect(symlink("other", folder["a"]) == 0)
    try replace("a", "new")
    #expect(folder.text("other") == "untouched")
    var status = stat()
    #expect(lstat(folder["a"], &status) == 0)
    #expect(status.isRegularFile)
    #expect(folder.text("a") == "new")
  }

  @Test func symbolicLinkAtTheTemporaryNameIsRefused() throws {
    try folder.write("victim", "untouched")
    #expect(symlink("victim", folder["a.tmp"]) == 0)
    let error = #expect(throws: SystemCallError.self) { try replace("a", "new") }
    #expect(error?.code == ELOOP)
    #expect(folder.text("victim") == "untouched")
    #expect(folder.text("a") == nil)
  }

  @Test func directoryAtThePathIsAnErrorAndStays() throws {
    #expect(mkdir(folder["a"], 0o700) == 0)
    let error = #expect(throws: SystemCallError.self) { try replace("a", "new") }
    #expect(error?.call == "rename")
    #expect(error?.code == EISDIR)
    #expect(folder.names == ["a"])
  }

  @Test func missingDirectoryIsAnError() throws {
    let error = #expect(throws: SystemCallError.self) { try replace("missing/a", "new", .name) }
    #expect(error?.code == ENOENT)
  }

  @Test func openDirectoryIsWrittenToWhereverItHasBeenMoved() throws {
    #expect(mkdir(folder["old"], 0o700) == 0)
    let directory = try FileDescriptor.open(folder["old"], O_RDONLY | O_DIRECTORY)
    #expect(rename(folder["old"], folder["new"]) == 0)
    try AtomicFile.replace("a", in: directory, path: folder["old/a"], mode: 0o600, durability: .name) {
      file throws(SystemCallError) in try file.writeAll([UInt8(ascii: "x")], subject: "a")
    }
    #expect(folder.text("new/a") == "x")
    #expect(folder.names == ["new"])
  }

  @Test func unnamedFileGetsTheNameOfTheOldOne() throws {
    try folder.write("a", "old")
    // File systems without unnamed files have nothing to test here; those of temporary directories have them.
    guard let file = FileDescriptor.unnamed(in: folder.path) else { return }
    try file.writeAll(Array("new".utf8), subject: "a")
    #expect(folder.text("a") == "old")
    try AtomicFile.name(file, folder["a"])
    #expect(folder.text("a") == "new")
    #expect(folder.names == ["a"])
  }

  @Test(arguments: [("a", "."), ("/a", "/"), ("/b/a", "/b"), ("b/c/a", "b/c"), ("./a", ".")])
  func directoryOfAPathIsFound(_ path: String, _ directory: String) {
    #expect(AtomicFile.directoryName(of: path) == directory)
  }
}
