import Testing

@testable import CommandLine

@Suite("Files of settings") struct SettingsFileTests {
  private func settings(_ text: String) throws -> [SettingsFile.Setting] {
    try SettingsFile(text, path: "ship.conf").settings
  }

  @Test("Headings, comments, blanks and line ends of Windows") func shapes() throws {
    let found = try settings(
      "# a comment\r\nfirst = 1\r\n\r\n[receiver]\r\n  endpoint=tcp://h:1  # behind it\n[ files ]\npath = /var/log/a#b.log\n"
    )
    #expect(
      found == [
        .init(section: "", key: "first", value: "1", place: "ship.conf:2"),
        .init(section: "receiver", key: "endpoint", value: "tcp://h:1", place: "ship.conf:5"),
        .init(section: "files", key: "path", value: "/var/log/a#b.log", place: "ship.conf:7"),
      ])
  }

  @Test("An empty value is a value, and a value may contain =") func values() throws {
    #expect(try settings("a =\nb = c = d").map(\.value) == ["", "c = d"])
  }

  @Test(
    "What is no setting is named with its line",
    arguments: [
      ("a = 1\nb\n", "ship.conf:2: \"b\" is not of the form KEY = VALUE"),
      (" = 1\n", "ship.conf:1: \"= 1\" is not of the form KEY = VALUE"),
      ("[a\n", "ship.conf:1: the heading \"[a\" has no closing bracket"),
    ]) func refused(_ text: String, _ message: String) throws
  {
    let error = #expect(throws: UsageError.self) { try settings(text) }
    #expect(error?.message == message)
  }
}
