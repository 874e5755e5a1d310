import Foundation

/// The service manager's end of the notification socket.
final class NotifySocket {
  let path: String
  private let number: Int32

  init(_ path: String) throws {
    self.path = path
    number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) {
      $0.copyBytes(from: Array(path.utf8).prefix($0.count - 1))
    }
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard code == 0 else { throw LocalSocket.Failure("bind \(path)") }
  }

  deinit { close(number) }

  /// The next message; nil when none comes in time.
  func next(seconds: Double = 10) -> String? {
    var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, Int32(seconds * 1000)) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let got = recv(number, &bytes, bytes.count, 0)
    return got < 0 ? nil : String(decoding: bytes[..<got], as: UTF8.self)
  }
}
