import Bytes
import Testing

@testable import LogParser

/// What stands behind prefixes: other programs' heads, Rust's literals, wrappers in wrappers.
struct CarriedTextTests {
  private func head(_ line: String) -> String? {
    var arena = Arena()
    return LoggerHead(arena.copy(line)).map { "\($0.level.string)|\($0.text.string)" }
  }

  @Test(arguments: [
    ("[2026-03-05T07:00:01Z WARN  a::b] words", "warning|words"), ("[INFO  a] words", "info|words"),
    ("2026-03-05T07:00:01.5Z ERROR a::b: words k=1", "error|words k=1"),
    ("2026-03-05T07:00:01.5Z  INFO a: words", "info|words"),
    ("cloud-hypervisor: 91.3ms: <vmm> WARN:a.rs:81 -- words", "warning|words"),
    ("cloud-hypervisor: 0.5s: INFO:a.rs:81 -- words", "info|words"),
    ("2026-03-05T07:00:00.02 [id:main:WARN] words", "warning|words"),
    ("2026-03-05T07:00:00.02 [id:ERROR:a.rs:1] words", "error|words"),
  ])
  func headsAreRead(_ line: String, _ expected: String) { #expect(head(line) == expected) }

  @Test(arguments: [
    "", "words", "[    0.5] words", "[ INFO ] words", "[  OK  ] words", "cloud-hypervisor: words -- more",
    "2026-03-05T07:00:01.5Z words: more", "[a] INFO words", "2026-03-05T07:00:01.5Z INFO words and more",
  ])
  func otherTextsHaveNoHead(_ line: String) { #expect(head(line) == nil) }

  private func record(_ line: String, lenient: Bool = true) throws -> (text: String, fields: String) {
    var rules = ReadingRules()
    rules.isLenient = lenient
    rules.allowsMissingFields = lenient
    var record = Record()
    let text = TextRecord(rules: rules, reference: Timestamp(seconds: 1_772_755_200))
    _ = try text.read(Wrapper(record.arena.copy(line)), into: &record)
    let fields = (0..<record.fields.count).map {
      "\(record.fields[$0].key.string)=\(record.fields[$0].value.string)"
    }
    return (
      "\(record.level.string) \(record.name.string)[\(record.pid)] \(record.source.string): \(record.message.string)",
      fields.joined(separator: " ")
    )
  }

  @Test(arguments: [
    (
      "2026-03-05T05:01:56Z h a[1]: 2026-03-05T05:01:57Z g b[2]: <3>c[3]: words", "error c[3] : words",
      "host=g"
    ),
    (
      "2026-03-05T05:01:56Z h kernel: [    1.000001] words", " kernel[0] kernel: words",
      "host=h kernel_time=1.000001"
    ),
    (
      "2026-03-05T05:01:56Z h conmon[7]: conmon 0123456789abcdef0123 <nwarn>: words",
      "warning conmon[7] : words",
      "host=h"
    ),
    ("[pod/a/b] a[1]: words", " a[1] : words", "container_name=b pod=a"),
    (
      "2026-03-05T05:01:56Z h kata[7]: vm console: \"[    1.000001] words\\r\\n\"",
      " kernel[7] vmconsole: words", "host=h kernel_time=1.000001"
    ),
    ("2026-03-05T05:01:56Z h kata[7]: \"words\"", " kata[7] vmconsole: words", "host=h"),
    ("2026-03-05T05:01:56Z h other[7]: \"words\"", " other[7] : \"words\"", "host=h"),
    ("2026-03-05T05:01:56Z h kata[7]: qemu stderr: \"words\"", " kata[7] qemu: words", "host=h"),
    ("2026-03-05T05:01:56Z h kata[7]: qemu stderr: \"words", " kata[7] : qemu stderr: \"words", "host=h"),
    ("2026-03-05T05:01:56Z h a[7]: b=c d= e", " a[7] : b=c d= e", "host=h"),
  ])
  func wrappersAreTakenOff(_ line: String, _ expected: String, _ fields: String) throws {
    let found = try record(line)
    #expect(found.text == expected)
    #expect(found.fields == fields)
  }

  @Test func onlySixWrappersAreTakenOff() throws {
    let wrapper = "2026-03-05T05:01:56Z h a[1]: "
    let found = try record(String(repeating: wrapper, count: 8) + "words")
    #expect(found.text.hasPrefix(" a[1] : ") && found.text.hasSuffix("h a[1]: words"), "\(found.text)")
  }
}
