import Glibc
import System
import TestSupport
import Testing

struct FileDescriptorTests {
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test(arguments: [
    (0, 4, "0123"), (6, 4, "6789"), (8, 10, "89"), (10, 5, ""), (100, 5, ""), (3, 0, ""), (3, -1, ""),
  ])
  func readingAtAnOffsetEndsWhereTheFileEnds(_ offset: Int, _ count: Int, _ text: String) throws {
    let file = try FileDescriptor.open(try folder.write("a", "0123456789"), O_RDONLY)
    #expect(try file.bytes(at: offset, count: count, subject: "a") == Array(text.utf8))
  }

  @Test func readingADirectoryIsAnErrorThatNamesIt() throws {
    let file = try FileDescriptor.open(folder.path, O_RDONLY)
    let error = #expect(throws: SystemCallError.self) {
      try file.bytes(at: 0, count: 1, subject: "the folder")
    }
    #expect(error?.code == EISDIR)
    #expect(error?.description == "the folder: read: Is a directory")
  }

  @Test func missingFileIsAnErrorThatNamesThePath() {
    let error = #expect(throws: SystemCallError.self) {
      _ = try FileDescriptor.open(folder["missing"], O_RDONLY)
    }
    #expect(error?.code == ENOENT)
    #expect(error?.description == "\(folder["missing"]): open: No such file or directory")
  }

  @Test func filesAreCloseOnExec() throws {
    let file = try FileDescriptor.open(try folder.write("a", ""), O_RDONLY)
    #expect(fcntl(file.number, F_GETFD) & FD_CLOEXEC != 0)
    let directory = try FileDescriptor.open(folder.path, O_RDONLY | O_DIRECTORY)
    let inside = try FileDescriptor.open("a", in: directory.number, O_RDONLY, subject: "a")
    #expect(fcntl(inside.number, F_GETFD) & FD_CLOEXEC != 0)
    let temporary = try FileDescriptor.temporary(in: folder.path)
    #expect(fcntl(temporary.number, F_GETFD) & FD_CLOEXEC != 0)
    #expect(folder.names == ["a"])
  }

  @Test func writingWaitsUntilAFullPipeHasRoom() throws {
    let pipe = try PipeEnds("pipe")
    let writing = pipe.writeEnd.number
    #expect(fcntl(writing, F_SETFL, O_NONBLOCK) == 0)
    let size = 1 << 20
    let writer = WorkerThread.start {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
      try? FileDescriptor(borrowing: writing).writeAll(bytes, subject: "pipe")
    }
    var buffer = [UInt8](repeating: 0, count: 10_000)
    var got = 0
    while got < size {
      let count = try pipe.readEnd.read(into: &buffer, count: buffer.count, subject: "pipe")
      guard count > 0 else { break }
      #expect(buffer[0] == UInt8(truncatingIfNeeded: got))
      got += count
    }
    try #require(writer).join()
    #expect(got == size)
  }

  @Test func writingWithoutAReaderIsAnError() throws {
    signal(SIGPIPE, SIG_IGN)
    let end = try PipeEnds("pipe").takeWriteEnd()
    let error = #expect(throws: SystemCallError.self) { try end.writeAll([1], subject: "pipe") }
    #expect(error?.code == EPIPE)
  }

  @Test func borrowedDescriptorStaysOpen() throws {
    let file = try FileDescriptor.open("/dev/null", O_RDONLY)
    let number = file.number
    do { _ = FileDescriptor(borrowing: number) }
    #expect(fcntl(number, F_GETFD) >= 0)
    try FileDescriptor(borrowing: number).close("null")
    #expect(fcntl(number, F_GETFD) >= 0)
  }

  @Test func descriptorThatBecomesAnotherKeepsItsNumber() throws {
    let first = try FileDescriptor.open(try folder.write("a", "first"), O_RDONLY)
    let second = try FileDescriptor.open(try folder.write("b", "second"), O_RDONLY)
    let number = second.number
    try second.become(first)
    #expect(second.number == number)
    #expect(try second.bytes(at: 0, count: 10, subject: "b") == Array("first".utf8))
    #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test func syncIgnoresFilesWithoutADisk() throws {
    try PipeEnds("pipe").takeWriteEnd().sync("pipe")
    let file = try FileDescriptor.open(folder["a"], O_WRONLY | O_CREAT, mode: 0o600)
    try file.writeAll([1, 2, 3], subject: "a")
    try file.sync("a")
    #expect(try file.status("a").st_size == 3)
    #expect(try file.status("a").isRegularFile)
  }

  @Test(arguments: [
    (EMFILE, true), (ENFILE, true), (ENOMEM, true), (ENOBUFS, true), (ENOENT, false), (EACCES, false),
  ])
  func shortagesAreReported(_ code: Int32, _ isShortage: Bool) {
    #expect(SystemCallError("open", "a", code: code).isShortage == isShortage)
  }
}
