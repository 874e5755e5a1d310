import CLinux
import Foundation
import Logging
import System
import Testing

@testable import TraceForwarder

/// The privileged half on a thread, and the other end of its connection.
final class HelperThread {
  struct Message: Equatable {
    var text: String
    /// Whether a listening socket came along.
    var hasSocket: Bool
  }

  struct Late: Error {}

  let folder: URL
  private var connection: FileDescriptor?
  private let end: DispatchSemaphore
  private var sockets: [Int32] = []

  init(_ templates: [String], in folder: URL, roundInterval: Int) throws {
    self.folder = folder
    var pair: [Int32] = [0, 0]
    try #require(
      socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0)
    connection = FileDescriptor(owning: pair[0])
    let theirs = pair[1]
    let paths = templates.compactMap { SocketTemplate("\(folder.path)/\($0)") }
    #expect(paths.count == templates.count)
    let end = DispatchSemaphore(value: 0)
    self.end = end
    Thread.detachNewThread {
      if var watch = try? SandboxWatch(
        paths, port: 10240, connection: FileDescriptor(owning: theirs),
        log: StructuredLog(level: .error, program: "kata-trace-forwarder", source: "test"),
        roundInterval: roundInterval
      ) {
        watch.run()
      }
      end.signal()
    }
  }

  deinit { closeSockets() }

  func closeSockets() {
    for socket in sockets { close(socket) }
    sockets.removeAll()
  }

  /// The next message, waited for.
  func next(within milliseconds: Int32 = 20_000) throws -> Message {
    let number = connection?.number ?? -1
    var file = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    guard poll(&file, 1, milliseconds) == 1 else { throw Late() }
    var descriptor: Int32 = -1
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = bytes.withUnsafeMutableBytes {
      kata_receive_descriptor(number, $0.baseAddress, $0.count, &descriptor)
    }
    try #require(count > 0)
    if descriptor >= 0 { sockets.append(descriptor) }
    return Message(text: String(decoding: bytes[..<count], as: UTF8.self), hasSocket: descriptor >= 0)
  }

  /// Lets go of the connection and waits until the privileged half has ended.
  func finish() throws {
    connection = nil
    guard end.wait(timeout: .now() + 20) == .success else { throw Late() }
  }

  func make(_ path: String) throws {
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent(path), withIntermediateDirectories: true)
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(at: folder.appendingPathComponent(path))
  }

  func status(_ path: String) -> stat? {
    var status = stat()
    return lstat("\(folder.path)/\(path)", &status) == 0 ? status : nil
  }

  func isSocket(_ path: String) -> Bool { status(path).map { $0.st_mode & S_IFMT == S_IFSOCK } ?? false }
}
