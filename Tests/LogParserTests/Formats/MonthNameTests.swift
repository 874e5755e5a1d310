import Bytes
import Testing

@testable import LogParser

struct MonthNameTests {
  private func month(_ text: String) -> Int? {
    var arena = Arena()
    var cache = MonthName.Cache()
    var scanner = TextScanner(arena.copy(text))
    let first = cache.take(&scanner)
    // The name that is remembered is read as the same.
    var again = TextScanner(arena.copy(text))
    #expect(cache.take(&again) == first)
    return first
  }

  @Test(arguments: [
    ("Mar  5", 3), ("mar 5", 3), ("MAR 5", 3), ("Mär 05", 3), ("MÄR 05", 3), ("mrz 5", 3), ("mars 5", 3),
    ("févr. 5", 2), ("FÉVR. 5", 2), ("déc. 24", 12), ("août 9", 8), ("ene 1", 1), ("dic 24", 12),
    ("giu 2", 6),
    ("out 2", 10), ("mei 2", 5), ("okt. 2", 10), ("lis 11", 11), ("PAŹ 5", 10), ("říj 5", 10), ("мая 5", 5),
    ("МАЯ 5", 5),
    ("янв 5", 1), ("лют 5", 2), ("şub 5", 2), ("ŞUB 5", 2), ("szept 5", 9), ("joulu 5", 12), ("3月 5", 3),
    ("11月 16", 11),
    ("12월 5", 12), ("3月05", 3), ("2026年 3月 5", 3), ("三 5", 3), ("十二  24", 12),
  ])
  func namesAreRead(_ text: String, _ expected: Int) { #expect(month(text) == expected) }

  @Test(arguments: ["", "Mer 5", "mar", "mar x", "mar5", "13月 5", "0月 5", "3 5", "a 5", "三月三 5", "times 5"])
  func otherWordsAreNotMonths(_ text: String) { #expect(month(text) == nil) }
}
