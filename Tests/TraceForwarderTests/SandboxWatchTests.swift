import Foundation
import System
import TestSupport
import Testing

@testable import TraceForwarder

/// Sockets for agents, made and removed by the privileged half as sandboxes come and go.
@Suite(.ownThreads, .timeLimit(.minutes(10))) struct SandboxWatchTests {
  private static let isRoot = geteuid() == 0
  private let temporary: TemporaryFolder
  private var folder: URL { temporary.url }

  init() throws {
    temporary = try TemporaryFolder()
    chmod(temporary.url.path, 0o755)
  }

  /// - Parameter roundInterval: long, so that what comes is the answer to an event.
  private func helper(_ templates: String..., roundInterval: Int = 600_000) throws -> HelperThread {
    try HelperThread(templates, in: folder, roundInterval: roundInterval)
  }

  @Test func socketsComeAndGoWithSandboxes() throws {
    let helper = try helper("vm/{ID}/clh.sock")
    // The template's own directory is not there yet either.
    try helper.make("vm/one")
    #expect(try helper.next() == .init(text: "+1 one", hasSocket: true))
    #expect(helper.isSocket("vm/one/clh.sock_10240"))
    #expect(helper.status("vm/one/clh.sock_10240")?.st_mode == S_IFSOCK | 0o600)
    try helper.make("vm/not a sandbox")
    try helper.make("vm/.two")
    try helper.make("vm/two-2.x_Y")
    #expect(try helper.next() == .init(text: "+2 two-2.x_Y", hasSocket: true))
    try helper.remove("vm/one")
    #expect(try helper.next() == .init(text: "-1", hasSocket: false))
    try helper.finish()
    #expect(!helper.isSocket("vm/two-2.x_Y/clh.sock_10240"))
  }

  @Test func directoriesMayComeLaterAndBeReplaced() throws {
    let helper = try helper("fc/{ID}/root/run/kata.hvsock")
    try helper.make("fc/one")
    try helper.make("fc/one/root")
    try helper.make("fc/one/root/run")
    #expect(try helper.next().text == "+1 one")
    // The same sandbox again, then its parent, then all.
    var key = 1
    for path in ["fc/one/root/run", "fc/one/root", "fc/one", "fc"] {
      try helper.remove(path)
      #expect(try helper.next().text == "-\(key)")
      try helper.make("fc/one/root/run")
      key += 1
      #expect(try helper.next().text == "+\(key) one")
      #expect(helper.isSocket("fc/one/root/run/kata.hvsock_10240"))
    }
    try helper.finish()
  }

  @Test func aSocketThatIsRemovedIsMadeAgainInTheNextRound() throws {
    let helper = try helper("vm/{ID}/clh.sock", roundInterval: 100)
    try helper.make("vm/one")
    for key in [1, 2] {
      #expect(try helper.next().text == "+\(key) one")
      unlink("\(folder.path)/vm/one/clh.sock_10240")
      #expect(try helper.next().text == "-\(key)")
    }
    #expect(try helper.next().text == "+3 one")
    try helper.finish()
  }

  @Test func aDirectoryThatIsBeingRemovedIsNotFilledAgain() throws {
    let helper = try helper("vm/{ID}/clh.sock")
    try helper.make("vm/one")
    #expect(try helper.next().text == "+1 one")
    unlink("\(folder.path)/vm/one/clh.sock_10240")
    #expect(try helper.next().text == "-1")
    // More that happens there brings no socket either, as the answer to what comes after shows.
    try helper.make("vm/one/other")
    try helper.make("vm/two")
    #expect(try helper.next().text == "+2 two")
    rmdir("\(folder.path)/vm/one/other")
    #expect(rmdir("\(folder.path)/vm/one") == 0)
    try helper.make("vm/one")
    #expect(try helper.next().text == "+3 one")
    try helper.finish()
  }

  @Test func replacingADirectoryRepeatedlyIsRateLimited() throws {
    let helper = try helper("fc/{ID}/root/fc.sock")
    for key in 1...10 {
      try helper.make("fc/one/root")
      #expect(try helper.next().text == "+\(key) one")
      try helper.remove("fc/one/root")
      #expect(try helper.next().text == "-\(key)")
    }
    try helper.make("fc/one/root")
    try helper.make("fc/two/root")
    #expect(try helper.next().text == "+11 two")
    try helper.finish()
  }

  @Test func socketNamesAreNotSandboxes() throws {
    let helper = try helper("vm/{ID}", "fc/fc-{ID}.sock")
    try helper.make("fc")
    try Data().write(to: folder.appendingPathComponent("fc/fc-a.sock"))
    #expect(try helper.next().text == "+1 a")
    // What a cascade would have made comes before the next one.
    for (key, name) in [(2, "b"), (3, "c")] {
      try helper.make("vm/\(name)")
      #expect(try helper.next().text == "+\(key) \(name)")
      #expect(helper.isSocket("vm/\(name)_10240"))
    }
    try helper.finish()
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/vm").sorted() == ["b", "c"])
  }

  @Test func twoTemplatesHaveASocketEach() throws {
    let helper = try helper("vm/{ID}/clh.sock", "vm/{ID}/fc.sock", "fc/{ID}/fc.sock")
    try helper.make("vm/a")
    #expect(Set([try helper.next().text, try helper.next().text]) == ["+1 a", "+2 a"])
    try helper.make("fc/a")
    #expect(try helper.next().text == "+3 a")
    try helper.remove("fc/a")
    #expect(try helper.next().text == "-3")
    #expect(helper.isSocket("vm/a/clh.sock_10240") && helper.isSocket("vm/a/fc.sock_10240"))
    try helper.finish()
  }

  @Test func takesOverSocketWithoutListener() throws {
    let stale = folder.appendingPathComponent("vm/a/clh.sock_10240").path
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("vm/a"), withIntermediateDirectories: true)
    do { _ = try ListeningSocket.unix(stale) }
    let helper = try helper("vm/{ID}/clh.sock")
    #expect(try helper.next().text == "+1 a")
    // What somebody listens on stays, until it goes.
    try helper.make("vm/c")
    #expect(try helper.next().text == "+2 c")
    let moved = folder.appendingPathComponent("other")
    try FileManager.default.createDirectory(at: moved, withIntermediateDirectories: true)
    let other = try ListeningSocket.unix("\(moved.path)/clh.sock_10240")
    try FileManager.default.moveItem(at: moved, to: folder.appendingPathComponent("vm/b"))
    try helper.make("vm/d")
    #expect(try helper.next().text == "+3 d")
    unlink("\(folder.path)/vm/b/clh.sock_10240")
    #expect(try helper.next().text == "+4 b")
    withExtendedLifetime(other.number) {}
    try helper.finish()
  }

  @Test func leavesASocketOfAnotherAtTheEnd() throws {
    let helper = try helper("vm/{ID}/clh.sock")
    try helper.make("vm/a")
    #expect(try helper.next().text == "+1 a")
    let directory = try CheckedDirectory("\(folder.path)/vm/a")
    let found = directory.socket("clh.sock_10240")
    let ours = try #require(found)
    directory.remove("clh.sock_10240", ifIs: SocketFile(device: ours.device, inode: ours.inode &+ 1))
    #expect(helper.isSocket("vm/a/clh.sock_10240"))
    directory.remove("clh.sock_10240", ifIs: ours)
    #expect(!helper.isSocket("vm/a/clh.sock_10240"))
    try helper.finish()
  }

  @Test func thousandsOfSandboxesWaitForAnOtherHalfThatHangs() throws {
    let names = Set((0..<2000).map { "sandbox-\($0)" })
    for name in names {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("vm/\(name)"), withIntermediateDirectories: true)
    }
    let helper = try helper("vm/{ID}/clh.sock")
    // Nothing is read until the connection is full.
    var found = Set<Substring>()
    for _ in names {
      let message = try helper.next()
      #expect(message.hasSocket)
      found.formUnion(message.text.split(separator: " ").dropFirst())
      helper.closeSockets()
    }
    #expect(found.count == names.count)
    try helper.remove("vm")
    for _ in names { #expect(try helper.next().text.hasPrefix("-")) }
    try helper.finish()
  }

  @Test func endsWhileItWaitsForAnOtherHalfThatHangs() throws {
    for index in 0..<2000 {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("vm/\(index)"), withIntermediateDirectories: true)
    }
    let helper = try helper("vm/{ID}/clh.sock")
    _ = try helper.next()
    try helper.finish()
    for index in 0..<2000 where helper.isSocket("vm/\(index)/clh.sock_10240") {
      Issue.record("the socket of \(index) is left")
    }
  }

  // MARK: Other users' directories

  @Test(.enabled(if: isRoot, "only root can give a directory to another user"))
  func theDirectorysOwnerOwnsTheSocket() throws {
    let helper = try helper("vm/{ID}/clh.sock")
    try helper.make("vm/a")
    #expect(try helper.next().text == "+1 a")
    #expect(helper.status("vm/a/clh.sock_10240")?.st_uid == 0)
    // As a runtime does that makes the directory and then gives it to the hypervisor's user.
    chown("\(folder.path)/vm/a", 4711, 4712)
    chmod("\(folder.path)/vm/a", 0o700)
    #expect(try helper.next().text == "-1")
    #expect(try helper.next().text == "+2 a")
    #expect(helper.status("vm/a/clh.sock_10240")?.st_uid == 4711)
    #expect(helper.status("vm/a/clh.sock_10240")?.st_gid == 4712)
    // A directory that its owner cannot write is not written for the owner either.
    try helper.make("b")
    chown("\(folder.path)/b", 4711, 4712)
    chmod("\(folder.path)/b", 0o500)
    #expect(throws: SystemCallError.self) { _ = try ListeningSocket.unix("\(folder.path)/b/s") }
    try helper.finish()
    #expect(!helper.isSocket("vm/a/clh.sock_10240"))
  }

  @Test(.enabled(if: isRoot, "only root can give a directory to another user")) func linksOfAUserLeadNowhere()
    throws
  {
    let helper = try helper("vm/{ID}/root/fc.sock")
    try helper.make("target")
    try helper.make("vm")
    for (name, link) in [("a", "\(folder.path)/target"), ("b", "../../target"), ("c", "../a")] {
      try helper.make("draft")
      symlink(link, "\(folder.path)/draft/root")
      chown("\(folder.path)/draft", 4711, 4711)
      rename("\(folder.path)/draft", "\(folder.path)/vm/\(name)")
    }
    // A directory of root's inside a user's, as a rename could bring it there.
    try helper.make("draft/root")
    chown("\(folder.path)/draft", 4711, 4711)
    rename("\(folder.path)/draft", "\(folder.path)/vm/d")
    // Root's own link in root's own directory is followed.
    try helper.make("vm/e")
    symlink("../../target", "\(folder.path)/vm/e/root")
    #expect(try helper.next().text == "+1 e")
    #expect(helper.isSocket("target/fc.sock_10240"))
    #expect(!helper.isSocket("vm/d/root/fc.sock_10240"))
    try helper.finish()
    #expect(!helper.isSocket("target/fc.sock_10240"))
  }

  @Test(.enabled(if: isRoot, "only root can give a directory to another user"))
  func aLinkInPlaceOfTheSocketIsNotFollowed() throws {
    let helper = try helper("vm/{ID}/clh.sock")
    try helper.make("target")
    try helper.make("draft")
    symlink("\(folder.path)/target/made", "\(folder.path)/draft/clh.sock_10240")
    chown("\(folder.path)/draft", 4711, 4711)
    try helper.make("vm")
    rename("\(folder.path)/draft", "\(folder.path)/vm/a")
    try helper.make("vm/b")
    #expect(try helper.next().text == "+1 b")
    #expect(helper.status("target/made") == nil)
    #expect(helper.status("vm/a/clh.sock_10240").map { $0.st_mode & S_IFMT } == S_IFLNK)
    try helper.finish()
  }

  @Test func watchesAreNotLeft() throws {
    var watches = try DirectoryWatches<String>()
    func steps(_ path: String, _ name: String? = nil) throws -> [DirectoryWatches<String>.Step] {
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent(path), withIntermediateDirectories: true)
      let directory = try CheckedDirectory("\(folder.path)/\(path)")
      return [.init(watch: try watches.watch(directory.file.number), name: name)]
    }
    for path in ["a", "b", "a/c", "a"] {
      watches.set("one", try steps(path))
      watches.set("two", try steps("a", "d"))
    }
    #expect(watches.count == 1)
    watches.set("three", try steps("a/c", "x"))
    #expect(watches.count == 2)
    #expect(watches.changes()?.isSubset(of: ["one", "two"]) == true)
    // A name that matters to all, one that matters to "one" alone, and a directory that goes itself.
    mkdir("\(folder.path)/a/d", 0o755)
    #expect(watches.changes() == ["one", "two"])
    mkdir("\(folder.path)/a/e", 0o755)
    #expect(watches.changes() == ["one"])
    rmdir("\(folder.path)/a/c")
    #expect(watches.changes() == ["one", "three"])
    #expect(watches.count == 1)
    for key in ["one", "two", "three"] { watches.set(key, []) }
    #expect(watches.count == 0)
  }
}
