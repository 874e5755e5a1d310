import CLinux
import Glibc
import System
import TestSupport
import Testing

struct SocketAddressTests {
  @Test(arguments: [
    ("127.0.0.1:80", "127.0.0.1", 80), (":9464", "0.0.0.0", 9464), ("[::1]:0", "::1", 0),
    ("localhost:65535", "localhost", 65535), ("[fe80::1]:1", "fe80::1", 1), ("[]:1", "0.0.0.0", 1),
  ])
  func addressIsRead(_ text: String, _ host: String, _ port: UInt16) {
    #expect(SocketAddress(text) == SocketAddress(host: host, port: port))
  }

  @Test(arguments: ["", "80", "host", "host:", "host:65536", "host:-1", "::1:80", "host:x", "a:b:1"])
  func malformedAddressIsRefused(_ text: String) { #expect(SocketAddress(text) == nil) }

  @Test(arguments: ["127.0.0.1:80", "[::1]:9"]) func descriptionRoundTrips(_ text: String) {
    #expect(SocketAddress(text)?.description == text)
  }

  @Test func unknownHostIsAnErrorThatNamesTheAddress() {
    let address = SocketAddress(host: "no such host", port: 1)
    let error = #expect(throws: SystemCallError.self) { try address.resolve() }
    #expect(error?.subject == "no such host:1")
  }
}

struct ListeningSocketTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func connect(_ path: String) throws -> FileDescriptor {
    let file = FileDescriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
    guard kata_unix_socket(file.number, path, 1) == 0 else { throw SystemCallError("connect", path) }
    return file
  }

  @Test func connectionIsAccepted() throws {
    let listener = try ListeningSocket.unix(folder["socket"])
    #expect(ListeningSocket.hasConnection(listener) == false)
    if case .nothing = ListeningSocket.accept(listener) {
    } else {
      Issue.record("no client has connected yet")
    }
    let client = try connect(folder["socket"])
    #expect(ListeningSocket.hasConnection(listener) == true)
    guard case .connection(let server, _) = ListeningSocket.accept(listener) else {
      Issue.record("a client has connected")
      return
    }
    #expect(fcntl(server.number, F_GETFD) & FD_CLOEXEC != 0)
    #expect(fcntl(server.number, F_GETFL) & O_NONBLOCK != 0)
    #expect(SocketReach.peer(client) == .unix)
  }

  @Test func unixSocketIsForItsOwnerAlone() throws {
    let listener = try ListeningSocket.unix(folder["socket"])
    var status = stat()
    #expect(lstat(folder["socket"], &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    #expect(listener.number >= 0)
  }

  @Test func socketWithoutListenerIsReplaced() throws {
    do { _ = try ListeningSocket.unix(folder["socket"]) }
    #expect(folder.names == ["socket"])
    let listener = try ListeningSocket.unix(folder["socket"])
    #expect(try connect(folder["socket"]).number >= 0)
    #expect(listener.number >= 0)
  }

  @Test func socketThatSomebodyListensOnIsAnError() throws {
    let listener = try ListeningSocket.unix(folder["socket"])
    let error = #expect(throws: SystemCallError.self) { _ = try ListeningSocket.unix(folder["socket"]) }
    #expect(error?.code == EADDRINUSE)
    #expect(try connect(folder["socket"]).number >= 0)
    #expect(listener.number >= 0)
  }

  @Test func regularFileAtThePathStays() throws {
    try folder.write("socket", "text")
    let error = #expect(throws: SystemCallError.self) { _ = try ListeningSocket.unix(folder["socket"]) }
    #expect(error?.code == EADDRINUSE)
    #expect(folder.text("socket") == "text")
  }

  @Test func longPathIsBoundThroughItsDirectory() throws {
    let directory = folder[String(repeating: "d", count: 120)]
    #expect(mkdir(directory, 0o700) == 0)
    let listener = try ListeningSocket.unix("\(directory)/socket")
    #expect(access("\(directory)/socket", F_OK) == 0)
    #expect(SocketReach.bound(listener) == .unix)
  }

  @Test func missingDirectoryIsAnError() throws {
    let error = #expect(throws: SystemCallError.self) {
      _ = try ListeningSocket.unix(folder["missing/socket"])
    }
    #expect(error?.code == ENOENT)
  }

  @Test func portThatIsTakenIsAnErrorThatNamesTheAddress() throws {
    let first = try ListeningSocket.tcp(SocketAddress(host: "127.0.0.1", port: 0))
    let address = SocketAddress(host: "127.0.0.1", port: try port(of: first))
    let error = #expect(throws: SystemCallError.self) { _ = try ListeningSocket.tcp(address) }
    #expect(error?.code == EADDRINUSE)
    #expect(error?.subject == address.description)
  }
}

struct StreamSocketTests {
  /// Both ends of a connection, which do not block.
  private struct Pair: ~Copyable {
    let first: FileDescriptor
    let second: FileDescriptor

    init() throws {
      var numbers: [Int32] = [-1, -1]
      let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
      guard socketpair(AF_UNIX, type, 0, &numbers) == 0 else { throw SystemCallError("socketpair", "test") }
      first = FileDescriptor(owning: numbers[0])
      second = FileDescriptor(owning: numbers[1])
    }

    consuming func takeFirst() -> FileDescriptor { first }
  }

  @Test func bytesGoFromOneEndToTheOther() throws {
    let pair = try Pair()
    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(StreamSocket.receive(pair.first, into: &buffer) == .notReady)
    #expect(StreamSocket.hasInput(pair.first) == false)
    #expect(StreamSocket.send(pair.second, [1, 2, 3], from: 1, isFollowed: false) == .bytes(2))
    #expect(StreamSocket.hasInput(pair.first) == true)
    #expect(StreamSocket.receive(pair.first, into: &buffer) == .bytes(2))
    #expect(buffer[..<2] == [2, 3])
  }

  @Test(arguments: [3, 4, -1]) func nothingIsSentFromOutsideTheBytes(_ start: Int) throws {
    let pair = try Pair()
    #expect(StreamSocket.send(pair.first, [1, 2, 3], from: start, isFollowed: false) == .notReady)
    #expect(StreamSocket.hasInput(pair.second) == false)
  }

  @Test func fullConnectionIsNotReady() throws {
    let pair = try Pair()
    let bytes = [UInt8](repeating: 7, count: 64 << 10)
    var last = StreamSocket.Transfer.bytes(0)
    for _ in 0..<10_000 {
      last = StreamSocket.send(pair.first, bytes, from: 0, isFollowed: true)
      guard case .bytes = last else { break }
    }
    #expect(last == .notReady)
  }

  @Test func endOfThePeersSideIsReported() throws {
    let pair = try Pair()
    StreamSocket.endWriting(pair.second)
    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(StreamSocket.receive(pair.first, into: &buffer) == .ended)
    // The other direction is open.
    #expect(StreamSocket.send(pair.first, [1], from: 0, isFollowed: false) == .bytes(1))
  }

  @Test func brokenConnectionFails() throws {
    let end = try Pair().takeFirst()
    #expect(StreamSocket.send(end, [1], from: 0, isFollowed: false) == .failed)
    var buffer = [UInt8](repeating: 0, count: 8)
    #expect(StreamSocket.receive(FileDescriptor(borrowing: -1), into: &buffer) == .failed)
  }
}

/// The port that a socket of IPv4 is bound to.
private func port(of file: borrowing FileDescriptor) throws -> UInt16 {
  var address = sockaddr_in()
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let code = withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(file.number, $0, &length) }
  }
  guard code == 0 else { throw SystemCallError("getsockname", "test") }
  return UInt16(bigEndian: address.sin_port)
}
