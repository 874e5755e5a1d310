import Bytes
import Foundation
import Testing

@testable import LogParser

struct InputMergeTests {
  /// Reads files side by side, each record from the input that is farthest behind.
  @Test func nextRecordComesFromTheInputFarthestBehind() throws {
    let files = [[1, 4, 9], [2, 3, 10], [5, 6, 7, 8]].map { times in
      times.map { RunFixture.line($0) + "\n" }.joined()
    }
    try RunFixture.withFile(files[0]) { first in
      try RunFixture.withFile(files[1]) { second in
        try RunFixture.withFile(files[2]) { third in
          let read = try self.read([first, second, third])
          // Each gives its first record before any of them is ahead.
          #expect(Array(read.inputs.prefix(3)) == [0, 1, 2])
          #expect(read.times.sorted() == Array(1...10))
          // No input runs ahead of the others by more than one record.
          for (index, time) in read.times.enumerated() where index > 0 {
            if let horizon = read.horizons[index - 1] { #expect(time >= horizon) }
          }
          #expect(read.horizons.compactMap { $0 } == read.horizons.compactMap { $0 }.sorted())
        }
      }
    }
  }

  private func read(
    _ inputs: [InputPath]
  ) throws -> (times: [Int], inputs: [Int], horizons: [Int?]) {
    func milliseconds(_ time: Timestamp) -> Int { Int(time.nanoseconds / 1_000_000) }
    var merge = InputMerge()
    for (index, input) in inputs.enumerated() {
      merge.add(
        try OpenInput.open(
          input, index, InputOptions(), isFollowed: false, tellsPauses: false,
          chunkSize: InputMerge.chunkSize(inputs.count)))
    }
    var record = Record()
    var result: (times: [Int], inputs: [Int], horizons: [Int?]) = ([], [], [])
    while let member = merge.first {
      guard case .record = member.input.next(into: &record) else {
        guard case .whole = member.input.finish() else {
          Issue.record("input \(member.input.index) did not end whole")
          return result
        }
        merge.removeFirst()
        continue
      }
      result.times.append(milliseconds(record.time))
      result.inputs.append(member.input.index)
      merge.note(record.time)
      result.horizons.append(merge.horizon.map(milliseconds))
    }
    return result
  }

  @Test func numberOfInputsIsBounded() {
    let path = InputPath(path: "/dev/null")
    #expect(InputMerge.isPossible([]) && InputMerge.isPossible([path]))
    #expect(InputMerge.isPossible([path, path]))
    #expect(!InputMerge.isPossible(Array(repeating: path, count: InputMerge.inputLimit + 1)))
  }

  @Test func numberOfCompressedInputsIsBounded() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("merge-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data([0x1f, 0x8b, 8, 0, 0, 0]).write(to: url)
    let path = InputPath(path: url.path)
    #expect(InputMerge.isPossible(Array(repeating: path, count: InputMerge.compressedLimit)))
    #expect(!InputMerge.isPossible(Array(repeating: path, count: InputMerge.compressedLimit + 1)))
  }

  @Test func buffersAreSharedOut() {
    #expect(InputMerge.chunkSize(0) == LineReader.defaultChunkSize)
    #expect(InputMerge.chunkSize(2) == LineReader.defaultChunkSize)
    #expect(InputMerge.chunkSize(128) == 128 << 10)
    #expect(InputMerge.chunkSize(100_000) == 16 << 10)
  }
}
