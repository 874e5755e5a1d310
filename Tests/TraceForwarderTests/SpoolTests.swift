import Bytes
import Foundation
import TestSupport
import Testing

@testable import TraceForwarder

/// The spool on disk: what is written comes back, whatever happens in between.
@Suite(.ownThreads) struct SpoolTests {
  private let folder: TemporaryFolder
  private var path: String { folder.url.appendingPathComponent("spool").path }

  init() throws { folder = try TemporaryFolder() }

  private func records(_ texts: [String], _ key: SpoolKey) -> [UInt8] {
    var out = ByteWriter()
    for text in texts { Array(text.utf8).withUnsafeBytes { key.append($0, to: &out) } }
    return out.array
  }

  private func append(_ texts: [String], to spool: Spool) throws {
    try records(texts, spool.key).withUnsafeBytes { try spool.append($0, count: texts.count) }
  }

  private func readAll(_ spool: Spool, from position: SpoolPosition) throws -> [String] {
    var reader = SpoolReader(spool, at: position)
    var result: [String] = []
    while let batch = try reader.next(records: 3, bytes: 64) {
      batch.visitPayloads { result.append(String(decoding: $0, as: UTF8.self)) }
    }
    return result
  }

  @Test func checksumIsThatOfTheStandard() {
    // RFC 3720, appendix B.4.
    let zeros = [UInt8](repeating: 0, count: 32)
    #expect(zeros.withUnsafeBytes { CRC32C.checksum($0) } == 0x8a91_36aa)
    #expect(Array("123456789".utf8).withUnsafeBytes { CRC32C.checksum($0) } == 0xe306_9283)
  }

  @Test func whatIsAppendedIsReadInOrderAfterARestart() throws {
    let texts = (0..<50).map { "span \($0) \(String(repeating: "x", count: $0 * 7))" }
    do {
      let spool = try Spool(SpoolOptions(directory: path))
      for text in texts { try append([text], to: spool) }
      #expect(try readAll(spool, from: spool.start) == texts)
    }
    let spool = try Spool(SpoolOptions(directory: path))
    #expect(spool.counts.recovered == 50)
    #expect(try readAll(spool, from: spool.start) == texts)
    #expect(spool.count(from: spool.start) == 50)
  }

  @Test func tornTailIsSkippedAndTheRestIsKept() throws {
    let file: String
    let key: SpoolKey
    do {
      let spool = try Spool(SpoolOptions(directory: path))
      try append(["one", "two"], to: spool)
      file = spool.path(spool.start.segment)
      key = spool.key
    }
    let torn = try Data(contentsOf: URL(fileURLWithPath: file)) + records(["three"], key).dropLast(2)
    try torn.write(to: URL(fileURLWithPath: file))
    let spool = try Spool(SpoolOptions(directory: path))
    #expect(spool.counts.cutBytes == 19)
    try append(["four"], to: spool)
    #expect(try readAll(spool, from: spool.start) == ["one", "two", "four"])
    // It may have been accepted, so it is a loss; and it is still there.
    #expect(spool.losses.total == 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == torn)
  }

  @Test func damagedRecordIsSkippedAndCounted() throws {
    let file: String
    do {
      let spool = try Spool(SpoolOptions(directory: path))
      try append(["one", "two", "three"], to: spool)
      file = spool.path(spool.start.segment)
    }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[SpoolHeader.bytes + 19 + 16] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
    let spool = try Spool(SpoolOptions(directory: path))
    #expect(try readAll(spool, from: spool.start) == ["one", "three"])
    #expect(spool.counts.damaged == 1 && spool.losses.count(.spoolDamaged) == 1)
  }
}
