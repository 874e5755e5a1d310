import Foundation
import TestSupport
import Testing

/// Directories, rotated sets and journal files among the inputs.
@Suite(.ownThreads) struct LogDirectoryTests {
  private static let options = ["--output-format", "ndjson", "--fields", "number,file,msg"]

  /// The names of the files that records came from, in order.
  private func files(_ result: Tool.Result) -> [String] {
    result.text.split(separator: "\n").compactMap { line in
      let parts = line.components(separatedBy: "\"file\":\"")
      return parts.count == 2
        ? parts[1].prefix { $0 != "\"" }.split(separator: "/").last.map(String.init) : nil
    }
  }

  /// A folder whose files each have one record of the same time: they come out as they were read.
  private func rotated() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in [
      "kata.log", "kata.log.1", "kata.log.2", "kata.log.10", "crio.log-20260301", "crio.log-20251231",
      "crio.log",
      ".hidden", "kata.log.bak",
    ] {
      try folder.write(name, LogLines.line(7))
    }
    let pack = try Program.run(
      "/bin/bash",
      ["-c", "gzip kata.log.2; bzip2 kata.log.10; xz crio.log-20251231; mkdir sub; ln -s kata.log link"],
      in: folder.url)
    #expect(pack.status == 0, "\(pack.errorText)")
    try folder.write("wtmp", [7, 0, 0, 0, 1])
    try folder.write("empty.log", "")
    return folder
  }

  @Test func directoryReadsItsLogsOldestFirst() throws {
    let folder = try rotated()
    let result = try Tool.run(Self.options + [folder.url.path])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(
      files(result) == [
        "crio.log-20251231.xz", "crio.log-20260301", "crio.log", "kata.log.10.bz2", "kata.log.2.gz",
        "kata.log.1", "kata.log", "kata.log.bak",
      ])
    let note = "left out .hidden (hidden), sub (a directory), wtmp (no text); name them to read them"
    #expect(result.errorText == "kata-log-parser: warning: \(folder.url.path): \(note)\n")
  }

  @Test func rotatedFilesAreReadWhenAskedFor() throws {
    let folder = try rotated()
    let one = try Tool.run(Self.options + ["kata.log"], in: folder.url)
    #expect(files(one) == ["kata.log"])
    let set = try Tool.run(Self.options + ["--rotated", "kata.log", "crio.log"], in: folder.url)
    #expect(
      files(set) == [
        "kata.log.10.bz2", "kata.log.2.gz", "kata.log.1", "kata.log", "crio.log-20251231.xz",
        "crio.log-20260301", "crio.log",
      ], "\(set.errorText)")
    #expect(set.status == 0 && set.errorText.isEmpty)
  }

  @Test func directoryWithoutLogsIsAnError() throws {
    let folder = try TemporaryFolder()
    _ = try folder.make("sub")
    for arguments in [["--output-format", "csv"], Self.options] {
      let result = try Tool.run(arguments + [folder.url.path])
      #expect(result.status == 1)
      #expect(result.errorText.contains("no log file in this directory"), "\(result.errorText)")
    }
  }

  private func journal(in folder: TemporaryFolder, _ numbers: Range<Int> = 0..<20) throws -> String {
    try Journal.make(
      numbers.map { number in
        let identifier = number % 5 == 4 ? "other" : "kata"
        return Journal.entry(
          number, Journal.text([("MESSAGE", "entry \(number)"), ("SYSLOG_IDENTIFIER", identifier)]))
      }, in: folder)
  }

  @Test func journalFileIsKnownByItsFirstBytes() throws {
    let folder = try TemporaryFolder()
    let path = try journal(in: folder)
    let named = folder.url.path + "/copy.bin"
    try FileManager.default.copyItem(atPath: path, toPath: named)
    for options in [
      [], ["-t", ""], ["-b", "11112222333344445555666677778888"], ["--lines", "3"], ["-b", "all"],
    ] {
      let alone = try Tool.run(Self.options + options + [named])
      let expected = try Tool.run(Self.options + options + ["--journal-file", named])
      #expect(alone.status == 0 && alone.output == expected.output, "\(options) \(alone.errorText)")
      #expect(!expected.output.isEmpty)
    }
  }

  @Test func journalFileIsReadBesideLogsAndInDirectories() throws {
    let folder = try TemporaryFolder()
    let path = try journal(in: folder)
    let log = try folder.write("kata.log", LogLines.text(0..<100))
    for inputs in [[path, log], [log, path], [folder.url.path]] {
      let result = try Tool.run(Self.options + ["--stats"] + inputs)
      let lines = result.text.split(separator: "\n")
      #expect(result.status == 0 && lines.count == 116, "\(result.errorText)")
      #expect(lines.filter { $0.contains("\"msg\":\"entry ") }.count == 16)
      #expect(lines.filter { $0.contains("\"number\":") }.count == 100)
      let all = try Tool.run(Self.options + ["-t", ""] + inputs)
      #expect(all.status == 0 && all.text.split(separator: "\n").count == 120, "\(all.errorText)")
    }
    // Both clocks count from the same moment: the entries stand between the lines.
    let mixed = try Tool.run(["--output-format", "logfmt", path, log])
    let times = mixed.text.split(separator: "\n").map { $0.prefix(36) }
    #expect(times.count == 116 && times == times.sorted(), "\(mixed.errorText)")
    let followed = try Tool.run(["--follow"] + Self.options + [path, log])
    #expect(followed.status == 1 && followed.errorText.contains("cannot be followed together with log files"))
  }
}
