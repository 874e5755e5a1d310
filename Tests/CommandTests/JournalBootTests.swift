import Foundation
import TestSupport
import Testing

/// `--boot`, by every name that journalctl has for one.
@Suite(.ownThreads) struct JournalBootTests {
  private static let boots = (1...3).map { String(repeating: "\($0)", count: 32) }

  /// Three boots with 3, 5 and 7 entries.
  private func journal(in folder: TemporaryFolder) throws -> String {
    var entries: [Data] = []
    for (index, boot) in Self.boots.enumerated() {
      for _ in 0..<2 * index + 3 {
        let fields = Journal.text([("MESSAGE", "boot \(index)"), ("SYSLOG_IDENTIFIER", "kata")])
        let text = String(decoding: Journal.entry(entries.count, fields), as: UTF8.self)
        entries.append(
          Data(text.replacingOccurrences(of: "11112222333344445555666677778888", with: boot).utf8))
      }
    }
    return try Journal.make(entries, in: folder)
  }

  @Test(.needs("journalctl")) func bootIsNamedAsForJournalctl() throws {
    let folder = try TemporaryFolder()
    let path = try journal(in: folder)
    for (options, count) in [
      (["-b", "1"], 3), (["-b", "2"], 5), (["-b", "+3"], 7), (["-b", "0"], 7), (["-b", "-0"], 7),
      (["-b", "-1"], 5),
      (["-b-2"], 3), (["-b"], 7), (["--boot"], 7), (["--boot="], 7), (["--boot=-1"], 5), (["-b", "all"], 15),
      (["--boot=all"], 15), (["-b", Self.boots[1]], 5), (["-b", Self.boots[1] + "+1"], 7),
      (["--boot=" + Self.boots[1] + "-1"], 3), (["-b", Self.boots[2].uppercased() + "-1"], 5),
    ] {
      let result = try Tool.run(
        ["--output-format", "ndjson", "--fields", "msg", "--journal-file", path] + options)
      #expect(result.status == 0, "\(options) \(result.errorText)")
      #expect(result.text.split(separator: "\n").count == count, "\(options)")
    }
  }

  @Test(.needs("journalctl"), arguments: ["-3", "4", "1-1", "all-1"]) func otherBootIsAnError(_ name: String)
    throws
  {
    let folder = try TemporaryFolder()
    let path = try journal(in: folder)
    let result = try Tool.run(["--journal-file", path, "--boot=\(name)"])
    #expect(result.status != 0 && result.output.count < 1000, "\(result.errorText)")
    let isTold = result.errorText.contains("not a boot") || result.errorText.contains("no boot")
    #expect(isTold, "\(result.errorText)")
  }
}
