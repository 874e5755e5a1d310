import Foundation
import TestSupport
import Testing

/// Files that are each in order of time, merged without a temporary file.
@Suite(.ownThreads) struct OrderedMergeTests {
  private static let csv = ["--output-format", "csv", "--fields", "number,filename"]
  /// Where no temporary file can be made: a run that needs one fails.
  private static let nowhere = ["--temp-dir", "/nonexistent"]

  /// Files of sorted numbers with many that are equal, and the lines that a full sort gives.
  private func files(
    _ random: inout SplitMix64, in folder: TemporaryFolder
  ) throws -> (paths: [String], expected: [String]) {
    var records: [(number: Int, path: String)] = []
    var paths: [String] = []
    for file in 0..<Int(1 + random.next() % 6) {
      let span = 1 + random.next() % 3000
      let numbers = (0..<1 + random.next() % 1500).map { _ in Int(random.next() % span) }.sorted()
      let path = try folder.write("\(file).log", LogLines.text(numbers))
      paths.append(path)
      records += numbers.map { ($0, path) }
    }
    let order = records.enumerated().sorted {
      ($0.element.number, $0.offset) < ($1.element.number, $1.offset)
    }
    return (paths, order.map { "\($0.element.number),\($0.element.path)" })
  }

  @Test(.seeded) func mergedFilesAreInOrder() throws {
    var random = Seed.generator()
    for _ in 0..<12 {
      let folder = try TemporaryFolder()
      let (paths, expected) = try files(&random, in: folder)
      for threads in ["1", "2"] {
        let result = try Tool.run(Self.csv + Self.nowhere + ["--threads", threads] + paths)
        #expect(result.status == 0 && result.errorText.isEmpty, "\(result.errorText)")
        #expect(result.text.split(separator: "\n").dropFirst().map(String.init) == expected)
      }
    }
  }

  /// The same bytes as a sort, which a low limit of open files forces.
  @Test(arguments: ["text", "json", "csv", "toml", "xml", "yaml", "ndjson", "logfmt", "pretty"])
  func mergeGivesTheBytesOfASort(_ format: String) throws {
    let folder = try TemporaryFolder()
    for file in 0..<9 {
      try folder.write("\(file).log", LogLines.text(stride(from: file % 4, to: 400, by: 1 + file)))
    }
    let tool = try "'\(Tool.path)' --output-format \(format) *.log"
    let merged = try Tool.run("/bin/bash", ["-c", "\(tool) --temp-dir /nonexistent"], in: folder.url)
    let sorted = try Tool.run("/bin/bash", ["-c", "ulimit -n 40; \(tool)"], in: folder.url)
    #expect(merged.status == 0 && sorted.status == 0, "\(merged.errorText)\(sorted.errorText)")
    #expect(merged.output == sorted.output && !merged.output.isEmpty)
  }

  /// One of the files is not in order, or not all of one shape: all are sorted.
  @Test(.seeded, arguments: ["shuffled", "one late", "mixed"])
  func filesOutOfOrderAreSorted(_ kind: String) throws {
    var random = Seed.generator()
    let folder = try TemporaryFolder()
    var texts = (0..<3).map { file in (0..<1000).map { LogLines.line($0 * 3 + file) } }
    switch kind {
    case "shuffled": texts[2].shuffle(using: &random)
    case "one late": texts[2].append(texts[2].remove(at: Int(random.next() % 999)))
    default: texts[2].insert("[    1.5] a console line\n", at: 500)
    }
    let paths = try texts.enumerated().map { try folder.write("\($0.offset)", $0.element.joined()) }
    let result = try Tool.run(["--output-format", "ndjson", "--fields", "number"] + paths)
    let numbers = result.text.split(separator: "\n").compactMap { Int($0.filter(\.isNumber)) }
    #expect(result.status == 0 && numbers == Array(0..<3000), "\(result.errorText)")
  }

  /// Selected records of files in order need no temporary file either, and bad ones are left out.
  @Test func recordsAreSelectedAndBadOnesLeftOut() throws {
    let folder = try TemporaryFolder()
    let bad = "time=\"2026-03-05T05:00:00.500Z\" level=info msg=\"unclosed\n"
    let first = try folder.write("a", LogLines.text(0..<500) + bad + LogLines.text(501..<20_000))
    let second = try folder.write("b", LogLines.text(stride(from: 0, to: 20_000, by: 2)))
    let selected = try Tool.run(
      Self.csv + Self.nowhere + ["--keep-going", "--match", "number~00$", "--stats", first, second])
    #expect(selected.status == 1 && selected.errorText.contains("\"bad\":1,"), "\(selected.errorText)")
    #expect(selected.errorText.contains("\(first):501"), "\(selected.errorText)")
    let numbers = selected.text.split(separator: "\n").dropFirst().compactMap {
      $0.split(separator: ",").first.flatMap { Int($0) }
    }
    #expect(numbers == numbers.sorted() && numbers.count == 198 + 199)
  }

  @Test func memoryDoesNotDependOnTheSizes() throws {
    let folder = try TemporaryFolder()
    for file in 0..<5 {
      try folder.write("\(file).log", LogLines.text(stride(from: file, to: 200_000, by: 5)))
    }
    let script = """
      import glob, resource, subprocess, sys
      subprocess.run([sys.argv[1], '--output-format', 'json', '--temp-dir', '/nonexistent'] + glob.glob('*.log'),
                     check=True, stdout=subprocess.DEVNULL)
      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
      """
    let result = try Program.python(["-c", script, Tool.path], in: folder.url)
    let peak = try #require(
      Int(result.text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(result.errorText)")
    #expect(peak < 32 << 10)
  }
}
