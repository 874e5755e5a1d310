import Foundation
import TestSupport
import Testing

/// Names in XML, by the readers that there are.
@Suite(.ownThreads) struct XMLNameTests {
  /// Every one-letter key of the basic plane and hostile ones, read by expat and libxml2.
  @Test func everyReaderTakesEveryName() throws {
    let result = try Tool.run(
      Repository.path(".build/venv/bin/python"),
      [Repository.path("Tests/Validators/check-xml-names.py"), Tool.path, "1"])
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
  }

  @Test(arguments: [
    ("k", true), ("a.b-c_0", true), ("ключ", true), ("日本", true), ("é", true), ("0a", false), ("-a", false),
    ("a:b", false), ("xmlish", false), ("XMLns", false), ("xm", true), ("a b", false), ("\u{132}", false),
    ("a\u{b7}", false), ("a\u{300}", false), ("\u{660}", false), ("\u{1f600}", false),
  ])
  func namesThatAllReadersTakeAreElements(_ key: String, _ isElement: Bool) throws {
    let record =
      #"{"time":"2026-03-05T05:01:54Z","level":"info","msg":"m","source":"s","name":"n","pid":1,"\#(key)":"v"}"#
    let text = try Tool.run(["--output-format", "xml", "-"], input: Data("\(record)\n".utf8)).text
    #expect(text.contains(isElement ? "<\(key)>v</\(key)>" : "<field name=\"\(key)\">v</field>"), "\(text)")
  }
}
