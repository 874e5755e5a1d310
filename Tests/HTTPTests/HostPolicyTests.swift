import Glibc
import System
import Testing

@testable import HTTP

struct HostPolicyTests {
  private let policy = HostPolicy(["Traces.Example", "10.0.0.7", "fd00::7"])

  @Test(arguments: [
    "localhost", "LOCALHOST:16686", "localhost.", "localhost.:80", "127.0.0.1", "127.0.0.1:16686",
    "127.8.9.10",
    "[::1]", "[::1]:80", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]:80", "traces.example",
    "TRACES.example.:443",
    "10.0.0.7:1", "[fd00::7]:1", "[FD00::7]",
  ])
  func anOwnNameIsAllowed(_ host: String) { #expect(policy.allows(host)) }

  @Test(arguments: [
    "", "attacker.example", "localhost.attacker.example", "attacker.example:80", "10.0.0.8", "[::2]",
    "[fd00::8]",
    "127.0.0.1.attacker.example", "user@localhost", "localhost@attacker.example", "localhost:80:90",
    "localhost:x", "[::1", "0.0.0.0", "[::ffff:10.0.0.7]", "localhost..", "traces.example/", " localhost",
  ])
  func aForeignNameIsRefused(_ host: String) { #expect(!policy.allows(host)) }

  @Test(arguments: ["http://localhost:16686", "https://traces.example", "http://[::1]:1"])
  func anOwnOriginMayPost(_ origin: String) {
    var request = HTTPRequest(method: "POST", path: "/")
    request.headers = [("host", "localhost"), ("origin", origin)]
    #expect(policy.refusal(of: request) == nil)
  }

  @Test(arguments: ["null", "http://attacker.example", "chrome-extension://localhost", ""])
  func aForeignOriginMayNotPost(_ origin: String) {
    var request = HTTPRequest(method: "POST", path: "/")
    request.headers = [("host", "localhost"), ("origin", origin)]
    #expect(policy.refusal(of: request)?.response.status == 403)
    request.method = "GET"
    #expect(policy.refusal(of: request) == nil)
  }

  @Test(arguments: [
    ([127, 0, 0, 1], true), ([127, 255, 0, 1], true), ([126, 0, 0, 1], false), ([0, 0, 0, 0], false),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], true),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1], true),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1], false),
    ([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], false), ([], false),
  ])
  func loopbackAddressesAreKnown(_ address: [UInt8], _ isLoopback: Bool) {
    #expect(SocketReach.isLoopback(address) == isLoopback)
  }

  @Test func theKernelTellsHowFarASocketReaches() throws {
    var pair: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    let first = FileDescriptor(owning: pair[0])
    let second = FileDescriptor(owning: pair[1])
    #expect(SocketReach.peer(first) == .unix)
    #expect(SocketReach.bound(second) == .unix)
    #expect(SocketReach.peer(FileDescriptor(borrowing: -1)) == .network)
    for (host, reach) in [("127.0.0.1", SocketReach.loopback), ("0.0.0.0", .network)] {
      let file = try ListeningSocket.tcp(SocketAddress(host: host, port: 0))
      #expect(SocketReach.bound(file) == reach)
    }
  }
}
