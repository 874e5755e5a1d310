import Foundation
import LogParser
import TestSupport
import Testing

/// The samples of `formats/cursor`, which newer versions must still read.
struct CursorFileTests {
  private static let folder = Repository.url("formats/cursor")

  private static let cursor =
    "s=34b57b2f5e3648f6b4a60cdb4f9f8c51;i=66d;b=11112222333344445555666677778888;m=1915e0;t=64c3fd5e7aa60;x=3660f5602a20760e"

  /// What is wrong with the file, or nil.
  private func problem(_ path: String) -> String? {
    do throws(Run.Failure) {
      _ = try CursorFile(path: path).read()
      return nil
    } catch {
      guard case .message(let text) = error else { return "" }
      return text
    }
  }

  private func withFile(_ bytes: Data = Data(), _ body: (String) throws -> Void) throws {
    try TemporaryFolder.use { folder in
      let file = folder.appendingPathComponent("cursor")
      try bytes.write(to: file)
      try body(file.path)
    }
  }

  @Test(arguments: ["version-1", "version-2"])
  func validSampleIsRead(_ name: String) throws {
    let path = Self.folder.appendingPathComponent("valid/\(name).cursor").path
    #expect(try CursorFile(path: path).read() == Self.cursor)
  }

  @Test(arguments: [
    ("newer", "has version 3, and this kata-log-parser supports versions up to 2"),
    ("damaged", "its checksum is wrong"), ("damaged-version-1", "its first line is not of the form"),
    ("torn", "its checksum is wrong"), ("empty", "it is empty"),
  ])
  func invalidSampleIsRefused(_ name: String, _ reason: String) throws {
    let path = Self.folder.appendingPathComponent("invalid/\(name).cursor").path
    let problem = try #require(self.problem(path))
    #expect(problem.hasPrefix("\(path): ") && problem.contains(reason), "\(problem)")
    #expect(problem.contains("remove the file"))
  }

  @Test func newestVersionIsWritten() throws {
    let sample = try Data(contentsOf: Self.folder.appendingPathComponent("valid/version-2.cursor"))
    try withFile { path in
      try CursorFile(path: path).write(Self.cursor)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == sample)
    }
  }

  @Test func everyFlippedBitIsRefused() throws {
    let sample = try Data(contentsOf: Self.folder.appendingPathComponent("valid/version-2.cursor"))
    for bit in 0..<sample.count * 8 {
      var damaged = sample
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      try withFile(damaged) { #expect(problem($0) != nil, "bit \(bit)") }
    }
  }

  @Test func everyTruncationIsRefusedOrTheSamePlace() throws {
    let sample = try Data(contentsOf: Self.folder.appendingPathComponent("valid/version-2.cursor"))
    for count in 0..<sample.count {
      try withFile(sample.prefix(count)) { path in
        // The first line alone is version 1.
        let isWholeLine = count == Self.cursor.utf8.count + 1
        #expect((problem(path) == nil) == isWholeLine, "\(count) bytes")
      }
    }
  }
}
