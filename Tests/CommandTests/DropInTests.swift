import Foundation
import TestSupport
import Testing

/// Rules of the drop-in that its conformance cases do not reach.
@Suite(.ownThreads) struct DropInTests {
  private static let known = "level=info msg=m name=n pid=1 source=s"

  private func convert(_ text: String, _ format: String, _ options: [String] = []) throws -> Tool.Result {
    try Tool.run(["--output-format", format] + options + ["-"], input: Data(text.utf8))
  }

  /// What stays a string without quotes for Go's yaml.v2 and for PyYAML, and what does not for one of them.
  @Test(arguments: [
    (
      true,
      [
        "0x", "0b", "-0x", "0_x", "0B+0", "0b+", "0b2", "-0b-1", "+0b-1", "0x_g", "1e400", "-1e999", "0o8",
        "08x",
        "2005-13-5", "8769-2-29", "3993-2-1T3:4:5", "2001-1-1 3:4", "2001-1-1 3:4:5x",
        "1:60", ".", "+", "-.", "._1", "1.e", ".e5", "0-1", "-_", "+_", "=", "<<", "nULL", "yES",
        "y1", "1,5", "2001-1-1T3:4:5,Z", "20011-1-1", "2001-1-1\u{a0}",
      ]
    ),
    (
      false,
      [
        "0x0", "0x_1", "0o17", "0O17", "0b1", "0B1", "0b+1", "0b-1", "-_9", "+_0", "1_000", "1__2", "0_",
        "08",
        "1.", ".5", ".5_", "1.5_e+3", "1e3", "1e-400", "0x1fffffffffffffff", "0x1ffffffffffffffff1",
        "-9223372036854775809",
        "190:20:30.15",
        "0:0", "2001-2-28", "2020-02-30", "2001-12-14 21:59:43.10 -5", "2001-1-1 3:4:5", "2001-1-1  3:4:5,5",
        "2001-1-1t3:4:5Z", "2001-1-1T3:4:5.5+01:00", ".inf", "-.INF", ".NaN", "~", "null", "y", "N", "Off",
      ]
    ),
  ])
  func quotesInYAMLWhatIsNoString(_ isPlain: Bool, _ values: [String]) throws {
    let lines = values.map { "time=2022-02-03T08:05:22.1Z \(Self.known) v=\"\($0)\"\n" }
    let output = try convert(lines.joined(), "yaml").text.split(separator: "\n").filter {
      $0.hasPrefix("    v: ")
    }
    #expect(output.map { $0.dropFirst(7) } == values.map { isPlain ? Substring($0) : "\"\($0)\"" })
  }

  @Test(arguments: [
    ("+01:60", "+02:00"), ("-00:60", "-01:00"), ("+23:59", "+23:59"), ("-00:00", "Z"), ("+00:00", "Z"),
  ])
  func takesOffsets(_ written: String, _ shown: String) throws {
    let result = try convert("time=2022-02-03T08:05:22.1\(written) \(Self.known)\n", "json")
    #expect(result.text.contains("\"2022-02-03T08:05:22.1\(shown)\""), "\(result.errorText)")
  }

  @Test(arguments: [
    "time=2022-02-03T08:05:22.1+24:00 level=info msg=m name=n pid=1 source=s",
    "time=2022-02-03T08:05:22.1+01:61 level=info msg=m name=n pid=1 source=s",
    "<k>=1 time=2022-02-03T08:05:99.1Z level=info msg=m name=n pid=1 source=s",
    "<=1 time=2022-02-03T08:05:22.1Z level=info msg=m name=n source=s",
    "", "\n",
  ])
  func refuses(_ text: String) throws {
    let result = try convert(text, "json")
    #expect(result.status == 1 && !result.errorText.isEmpty && result.output.isEmpty, "\(result.text)")
  }

  @Test func keysMayBeginWithAnyCharacter() throws {
    let keys = ["<k>", "<6", "-", "é", "0", "#", "&a", "[x]", "_"]
    for key in keys {
      let result = try convert("\(key)=v time=2022-02-03T08:05:22.1Z \(Self.known)\n", "ndjson")
      let record = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
      #expect(record?[key] as? String == "v", "\(key): \(result.errorText)")
    }
  }

  @Test func emptyInputsAreErrorsOnRequest() throws {
    let folder = try TemporaryFolder()
    let empty = try folder.write("empty", "")
    let packed = folder.url.appendingPathComponent("empty.gz").path
    _ = try Tool.run("/bin/bash", ["-c", "gzip <'\(empty)' >'\(packed)'"])
    let good = try folder.write("good", "time=2022-02-03T08:05:22.1Z \(Self.known)\n")
    for (options, status) in [
      ([empty], 0), ([packed], 0), (["-"], 1), ([good, "-"], 1), (["--error-if-file-empty", good, empty], 1),
      (["--error-if-file-empty", good, packed], 1), (["--error-if-no-records", empty], 1),
      (["--error-if-no-records", packed], 1), (["--error-if-no-records", good], 0),
      (["--error-if-no-records", "--level", "error", good], 1),
      (["--error-if-no-records", "--reorder-window", "1s", packed], 1),
      (["--follow", "--output-format", "ndjson", "-"], 0),
    ] {
      let result = try Tool.run(options)
      #expect(result.status == Int32(status), "\(options): \(result.errorText)")
      #expect(result.errorText.isEmpty == (status == 0), "\(options): \(result.errorText)")
      #expect(try Tool.run(options + ["--output-file="]).status == Int32(status))
    }
  }

  @Test func debuggingSaysHowManyRecordsThereWere() throws {
    let line = "time=2022-02-03T08:05:22.1Z \(Self.known)\n"
    for format in ["json", "ndjson"] {
      let result = try convert(line + line, format, ["--debug"])
      #expect(result.errorText == "kata-log-parser: debug: 2 records read\n")
    }
  }
}
