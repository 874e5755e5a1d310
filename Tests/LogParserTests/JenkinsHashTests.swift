import Bytes
import Testing

struct JenkinsHashTests {
  private static func hash(_ text: String) -> UInt64 {
    Array(text.utf8).withUnsafeBytes { JenkinsHash.hash($0) }
  }

  /// The examples that lookup3.c tests itself by.
  @Test(arguments: [
    ("", 0xdead_beef_dead_beef as UInt64), ("Four score and seven years ago", 0x1777_0551_ce72_26e6),
  ])
  func hashOfTheAuthorsExamples(_ text: String, _ expected: UInt64) { #expect(Self.hash(text) == expected) }

  /// The end of the cursor of an entry that systemd 252 wrote: `x=eb78dfa5576ba78e`.
  @Test func hashesOfAllFieldsMakeThatOfTheCursor() {
    let fields = [
      "_BOOT_ID=00000000000000000000000000000002", "SYSLOG_IDENTIFIER=kata", "MESSAGE=m 29 xxx", "NUMBER=29",
    ]
    #expect(fields.reduce(0) { $0 ^ Self.hash($1) } == 0xeb78_dfa5_576b_a78e)
  }
}
