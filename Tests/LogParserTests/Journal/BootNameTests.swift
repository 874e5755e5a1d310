import Testing

@testable import LogParser

struct BootNameTests {
  private static let id = "0123456789abcdef0123456789abcdef"

  @Test(
    arguments: [
      ("0", .offset(0)), ("-0", .offset(0)), ("-1", .offset(-1)), ("1", .offset(1)), ("+2", .offset(2)),
      ("all", .all), (id, .id(id, 0)), (id.uppercased(), .id(id, 0)), (id + "-1", .id(id, -1)),
      (id + "+3", .id(id, 3)), (id + "-0", .id(id, 0)),
    ] as [(String, BootName)])
  func nameIsReadAsJournalctlReadsIt(_ text: String, _ expected: BootName) {
    #expect(BootName(text) == expected)
  }

  @Test(arguments: [
    "", "x", "ALL", "-", "1-1", String(id.dropLast()), id + "1", id + "-", id + "x", "kata.log",
  ])
  func otherTextIsNotABoot(_ text: String) { #expect(BootName(text) == nil) }
}
