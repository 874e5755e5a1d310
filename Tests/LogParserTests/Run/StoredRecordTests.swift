import Bytes
import Glibc
import System
import Testing

@testable import LogParser

struct StoredRecordTests {
  private func make(_ record: inout Record, _ seconds: Int64, _ message: String) {
    RunFixture.fill(&record, seconds, message, input: 3)
    record.sandbox = record.arena.copy("sandbox" as StaticString)
    record.marks = [.isRaw, .isTruncated]
    record.line = 1 << 40
    record.pid = -1
    record.setField("b", record.arena.copy("2" as StaticString))
    record.setField("a", record.arena.copy("\"1\"" as StaticString))
  }

  private func check(_ record: borrowing Record, _ seconds: Int64, _ message: String) {
    let time = record.time
    #expect(time == Timestamp(seconds: seconds))
    let texts = [record.level, record.message, record.source, record.sandbox].map(\.string)
    #expect(texts == ["info", message, "", "sandbox"])
    let numbers = [record.input, record.pid, Int(record.line), Int(record.marks.rawValue)]
    #expect(numbers == [3, -1, 1 << 40, Int(RecordMarks([.isRaw, .isTruncated]).rawValue)])
    let fields = (0..<record.fields.count).map {
      [record.fields[$0].key.string, record.fields[$0].value.string]
    }
    #expect(fields == [["a", "\"1\""], ["b", "2"]])
  }

  @Test func recordRoundTrips() {
    var record = Record()
    var out = OutputBuffer()
    make(&record, 7, "text")
    let length = StoredRecord.encode(record, into: &out)
    let count = out.count
    #expect(length == count)
    var block = PageBlock(capacity: 0)
    block.fill(length) { room in
      room.copyMemory(from: out.bytes)
      return length
    }
    var copy = Record()
    let decoded = StoredRecord.decode(block.slice(from: 0), into: &copy)
    #expect(decoded == length)
    check(copy, 7, "text")
  }

  /// A temporary file that was cut or changed gives no record, and nothing is read beyond its end.
  @Test func cutRecordIsNone() {
    var record = Record()
    var out = OutputBuffer()
    make(&record, 7, "text")
    let length = StoredRecord.encode(record, into: &out)
    var block = PageBlock(capacity: length)
    for count in 0..<length {
      block.fill(count) { room in
        room.copyMemory(from: UnsafeRawBufferPointer(rebasing: out.bytes[..<count]))
        return count
      }
      let decoded = StoredRecord.decode(block.slice(from: 0), into: &record)
      #expect(decoded == nil, "\(count) bytes")
    }
  }

  /// More than fits into memory: the rest is in a file.
  @Test func storeReturnsWhatItStored() throws {
    var store = RecordStore(directory: "/var/tmp")
    var record = Record()
    var places: [(offset: Int, length: Int)] = []
    for number in 0..<3000 {
      make(&record, Int64(number), String(repeating: "x", count: number % 1000))
      let offset = store.size
      places.append((offset, try store.append(record)))
    }
    let end = store.size
    #expect(end > 1 << 20)
    var block = PageBlock(capacity: 0)
    for (number, place) in places.enumerated() {
      let head = try store.head(at: place.offset, &block)
      #expect(Int(head.length) == place.length && head.seconds == Int64(number))
      try store.read(at: place.offset, count: place.length, into: &block)
      let decoded = StoredRecord.decode(block.slice(from: 0), into: &record)
      #expect(decoded == place.length)
      check(record, Int64(number), String(repeating: "x", count: number % 1000))
    }
    do throws(SystemCallError) {
      try store.read(at: end - 1, count: 2, into: &block)
      Issue.record("there is nothing behind the end")
    } catch {
      #expect(error.code == EIO)
    }
  }
}
