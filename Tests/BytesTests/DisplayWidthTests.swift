import Bytes
import Testing

@Suite struct DisplayWidthTests {
  @Test(arguments: [
    ("a", 1), ("é", 1), ("ж", 1), ("\u{301}", 0), ("\u{20dd}", 0), ("日", 2), ("、", 2), ("가", 2), ("Ａ", 2),
    ("ｱ", 1),
    ("\u{1161}", 0), ("😀", 2), ("⌚", 2), ("✔", 1), ("…", 1), ("─", 1), ("𠀀", 2),
  ])
  func columns(_ text: String, _ columns: Int) throws {
    #expect(DisplayWidth.columns(try #require(text.unicodeScalars.first)) == columns)
  }
}
