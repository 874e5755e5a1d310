import Glibc
import System
import TestSupport
import Testing

struct SubprocessTests {
  private func output(_ program: String, _ arguments: [String]) throws -> (text: String, end: Subprocess.End)
  {
    let pipe = try PipeEnds("pipe")
    let process = try Subprocess.start(
      program, arguments, descriptors: [.init(pipe.writeEnd.number, as: STDOUT_FILENO)])
    let end = pipe.takeReadEnd()
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = try end.read(into: &buffer, count: buffer.count, subject: "pipe")
      if count == 0 { break }
      text += buffer[..<count]
    }
    return (String(decoding: text, as: UTF8.self), process.wait())
  }

  @Test func argumentsArriveAsTheyAre() throws {
    let result = try output("printf", ["printf", "[%s]", "a b", "", "\"*$HOME\"", "ä"])
    #expect(result.text == "[a b][][\"*$HOME\"][ä]")
    #expect(result.end == .exited(status: 0))
  }

  @Test(arguments: [0, 1, 7, 255]) func exitStatusIsReported(_ status: Int32) throws {
    #expect(try output("sh", ["sh", "-c", "exit \(status)"]).end == .exited(status: status))
  }

  /// Of the others, some are blocked in the threads that tests run on, and so in what they start.
  @Test func signalIsReported() throws {
    #expect(try output("sh", ["sh", "-c", "kill -KILL $$"]).end == .killed(signal: SIGKILL))
  }

  @Test func missingProgramIsAnErrorThatNamesIt() {
    let error = #expect(throws: SystemCallError.self) {
      try Subprocess.start("/no/such/program", ["program"])
    }
    #expect(error?.code == ENOENT)
    #expect(error?.subject == "/no/such/program")
  }

  /// Two descriptors may have each other's numbers: each must be copied before its number is taken.
  @Test func descriptorsMayBeExchanged() throws {
    let first = try PipeEnds("first")
    let second = try PipeEnds("second")
    let (a, b) = (first.writeEnd.number, second.writeEnd.number)
    let process = try Subprocess.start(
      "sh", ["sh", "-c", "echo a >/proc/self/fd/\(a); echo b >/proc/self/fd/\(b)"],
      descriptors: [.init(b, as: a), .init(a, as: b)])
    #expect(process.wait() == .exited(status: 0))
    var buffer = [UInt8](repeating: 0, count: 16)
    #expect(try first.readEnd.read(into: &buffer, count: 16, subject: "first") == 2)
    #expect(buffer[0] == UInt8(ascii: "b"))
    #expect(try second.readEnd.read(into: &buffer, count: 16, subject: "second") == 2)
    #expect(buffer[0] == UInt8(ascii: "a"))
  }

  @Test func descriptorKeepsItsOwnNumberInTheChild() throws {
    let pipe = try PipeEnds("pipe")
    let number = pipe.writeEnd.number
    let process = try Subprocess.start(
      "sh", ["sh", "-c", "echo x >/proc/self/fd/\(number)"], descriptors: [.init(number, as: number)])
    #expect(process.wait() == .exited(status: 0))
    var buffer = [UInt8](repeating: 0, count: 16)
    #expect(try pipe.readEnd.read(into: &buffer, count: 16, subject: "pipe") == 2)
  }

  @Test func otherDescriptorsStayBehind() throws {
    let pipe = try PipeEnds("pipe")
    let process = try Subprocess.start("sh", ["sh", "-c", "test ! -e /proc/self/fd/\(pipe.writeEnd.number)"])
    #expect(process.wait() == .exited(status: 0))
  }
}

struct DynamicLibraryTests {
  @Test func functionOfALibraryIsCalled() throws {
    let library = try #require(DynamicLibrary("no-such-library.so.1", "libc.so.6"))
    let length: @convention(c) (UnsafePointer<CChar>) -> Int = try #require(library.function("strlen"))
    #expect(length("four") == 4)
  }

  @Test func missingFunctionIsNil() throws {
    let library = try #require(DynamicLibrary("libc.so.6"))
    let function: (@convention(c) () -> Int32)? = library.function("no_such_function")
    #expect(function == nil)
  }

  @Test func missingLibraryIsNil() { #expect(DynamicLibrary("no-such-library.so.1") == nil) }
}
