import Foundation
import TestSupport
import Testing

/// `--reorder-window` over several inputs.
@Suite(.ownThreads) struct InputMergeTests {
  private static let csv = ["--output-format", "csv", "--fields", "number,filename"]

  /// Records in the order in which a run wrote them: how many, and how many stand behind a younger one.
  private func order(_ result: Tool.Result) -> (count: Int, late: Int) {
    var newest = -1
    var late = 0
    let numbers = result.text.split(separator: "\n").dropFirst()
      .compactMap { $0.split(separator: ",").first.flatMap { Int($0) } }
    for number in numbers {
      if number < newest { late += 1 }
      newest = max(newest, number)
    }
    return (numbers.count, late)
  }

  @Test func inputsAreMergedAsTheyAreSorted() throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(state: 17)
    var files: [String] = []
    var total = 0
    for file in 0..<7 {
      // Records up to 50 ms out of place, with many times that several files have; one file begins late.
      let numbers = (0..<2000).map { ($0 + file / 6 * 5000) * 5 }
      let keyed = numbers.map { ($0 + Int(generator.next() % 50), $0) }.sorted { $0.0 < $1.0 }
      total += keyed.count
      files.append(try folder.write("\(file).log", LogLines.text(keyed.map(\.1))))
    }
    _ = try Tool.run("/bin/bash", ["-c", "gzip '\(files[2])'; xz '\(files[3])'; zstd -q --rm '\(files[4])'"])
    for (index, suffix) in [(2, ".gz"), (3, ".xz"), (4, ".zst")] { files[index] += suffix }
    let merged = try Tool.run(Self.csv + ["--stats", "--reorder-window", "100ms"] + files)
    let sorted = try Tool.run(Self.csv + files)
    #expect(merged.status == 0 && sorted.status == 0, "\(merged.errorText)\(sorted.errorText)")
    #expect(order(merged) == (total, 0))
    // Of equal times the earlier input comes first, as in the full sort.
    #expect(merged.output == sorted.output)
    #expect(merged.errorText.contains("\"late\":0"))
  }

  @Test func windowOfZeroMergesSortedInputs() throws {
    let folder = try TemporaryFolder()
    let files = try (0..<3).map { file in
      try folder.write("\(file)", LogLines.text(stride(from: file, to: 3000, by: 3)))
    }
    let result = try Tool.run(Self.csv + ["--reorder-window", "0"] + files)
    #expect(order(result) == (3000, 0) && result.status == 0)
  }

  /// Records that come too late are written, every one is counted, and none makes the run fail.
  @Test func everyLateRecordIsCounted() throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(state: 23)
    let files = try (0..<3).map { file in
      try folder.write("\(file)", LogLines.text((0..<1000).map { $0 * 3 + file }.shuffled(using: &generator)))
    }
    for inputs in [files, [files[0]]] {
      let result = try Tool.run(Self.csv + ["--stats", "--reorder-window", "10ms"] + inputs)
      let (count, late) = order(result)
      #expect(count == 1000 * inputs.count && late > 500 && result.status == 0)
      #expect(
        result.errorText.contains("warning: \(late) records were later than the reorder window"),
        "\(late): \(result.errorText)")
      #expect(result.errorText.contains("\"late\":\(late),"))
    }
  }

  @Test func copiesInSeveralInputsAreDropped() throws {
    let folder = try TemporaryFolder()
    let files = try ["a", "b"].map { try folder.write($0, LogLines.text(0..<1000)) }
    let result = try Tool.run(Self.csv + ["--stats", "--dedupe", "--reorder-window", "1s"] + files)
    #expect(order(result) == (1000, 0) && result.errorText.contains("\"duplicates\":1000"))
  }

  /// Where not all inputs can be open at once, they are sorted as a whole, and the run says so.
  @Test(arguments: [("100", 80, "plain"), ("1024", 300, "plain"), ("1024", 40, "gzip")])
  func tooManyInputsAreSortedAsAWhole(_ limit: String, _ count: Int, _ kind: String) throws {
    let folder = try TemporaryFolder()
    for file in 0..<count {
      _ = try folder.write("\(file).log", LogLines.text([file, file + 1000, file + 2000]))
    }
    let arguments = (Self.csv + ["--reorder-window", "10ms"]).joined(separator: " ")
    let pack = kind == "gzip" ? "gzip *.log &&" : ""
    let result = try Tool.run(
      "/bin/bash", ["-c", "\(pack) ulimit -n \(limit) && '\(Tool.path)' \(arguments) *.log*"], in: folder.url)
    #expect(result.status == 0 && order(result) == (count * 3, 0), "\(result.errorText)")
    #expect(result.errorText.contains("warning: \(count) inputs are too many for --reorder-window"))
  }

  @Test func hundredsOfInputsAreMerged() throws {
    let folder = try TemporaryFolder()
    for file in 0..<220 {
      _ = try folder.write("\(file).log", LogLines.text([file, file + 1000, file + 2000]))
    }
    let arguments = (Self.csv + ["--reorder-window", "10ms"]).joined(separator: " ")
    let result = try Tool.run(
      "/bin/bash", ["-c", "ulimit -n 256 && '\(Tool.path)' \(arguments) *.log"], in: folder.url)
    #expect(
      result.status == 0 && order(result) == (660, 0) && result.errorText.isEmpty, "\(result.errorText)")
  }

  /// A pipe beside a file is waited for, and takes part in the order.
  @Test func pipesAreMergedWithFiles() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("file", LogLines.text(stride(from: 0, to: 6000, by: 3)))
    let first = try folder.write("first", LogLines.text(stride(from: 1, to: 6000, by: 3)))
    let second = try folder.write("second", LogLines.text(stride(from: 2, to: 6000, by: 3)))
    let arguments = (Self.csv + ["--reorder-window", "10ms"]).joined(separator: " ")
    let script = try """
    mkfifo fifo && { cat '\(first)' >fifo & } && cat '\(second)' | '\(Tool.path)' \(arguments) '\(file)' fifo -
    """
    let result = try Tool.run("/bin/bash", ["-c", script], in: folder.url)
    #expect(result.status == 0 && order(result) == (6000, 0), "\(result.errorText)")
  }

  /// Who opens a FIFO to look into it and closes it again takes what was written with it, and its writer with that.
  @Test(arguments: [
    ["--output-format", "csv"], ["--output-format", "ndjson"],
    ["--output-format", "csv", "--reorder-window", "1s"],
  ])
  func fifoIsReadFromItsFirstByte(_ options: [String]) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("file", LogLines.text(0..<100))
    let other = try folder.write("other", LogLines.text(100..<200))
    for inputs in ["fifo", "fifo '\(other)'"] {
      let arguments = (options + ["--fields", "number"]).joined(separator: " ")
      // A writer that is let go is gone before the reader comes back.
      let script = try """
      rm -f fifo; mkfifo fifo; cat '\(file)' >fifo & sleep 0.1
      timeout -s KILL 20 '\(Tool.path)' \(arguments) \(inputs)
      """
      let result = try Tool.run("/bin/bash", ["-c", script], in: folder.url)
      #expect(result.status == 0, "\(inputs) \(result.errorText)")
      #expect(result.text.split(separator: "\n").filter { $0.contains(/[0-9]/) }.count >= 100)
    }
  }

  /// One input ends in the middle of the others; it is reported and the rest is merged.
  @Test func inputThatFailsLeavesTheMerge() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("a", LogLines.text(stride(from: 0, to: 40_000, by: 2)))
    let other = try folder.write("b", LogLines.text(stride(from: 1, to: 40_000, by: 2)))
    let cut = "gzip -c b | head -c 50000 >b.gz && gzip -dc b.gz 2>/dev/null | grep -c 'number=.*'"
    let readable = try Tool.run("/bin/bash", ["-c", cut], in: folder.url)
    let count = try #require(Int(readable.text.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(count > 1000 && count < 20_000)
    let result = try Tool.run(
      Self.csv + ["--keep-going", "--reorder-window", "1s", file, other + ".gz"])
    let written = order(result)
    #expect(result.status == 1 && written.late == 0)
    // The last line may be cut within its last field.
    #expect((20_000 + count - 1...20_000 + count).contains(written.count), "\(result.errorText)")
  }

  @Test func memoryStaysBounded() throws {
    let folder = try TemporaryFolder()
    for file in 0..<4 {
      _ = try folder.write("\(file).log", LogLines.text(stride(from: file, to: 80_000, by: 4)))
    }
    let script = """
      import glob, resource, subprocess, sys
      subprocess.run([sys.argv[1], '--output-format', 'ndjson', '--reorder-window', '1s'] + glob.glob('*.log'),
                     check=True, stdout=subprocess.DEVNULL)
      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
      """
    let result = try Program.python(["-c", script, Tool.path], in: folder.url)
    let peak = try #require(
      Int(result.text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(result.errorText)")
    #expect(peak < 32 << 10)
  }
}
