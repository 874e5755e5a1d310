import Bytes

/// The short names of months that syslog daemons, journalctl and dmesg write, in the languages a node may be set to.
enum MonthName {
  /// Twelve names per language, in order; `/` separates forms of one month. A name that means different months in two
  /// languages belongs to the language that more nodes use.
  private static let languages = [
    "jan feb mar apr may jun jul aug sep/sept oct nov dec",
    "jan/jän feb mär/mrz/märz apr mai jun/juni jul/juli aug sep okt nov dez",
    "janv févr mars avr/avril mai juin juil/jui août/aoû sept oct nov déc",
    "ene feb mar abr may jun jul ago sep/sept oct nov dic",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "jan feb mar/mars apr maj jun/juni jul/juli aug sep okt nov dec",
    "jan feb mar/mars apr mai/maj jun/juni jul/juli aug/ágú sep okt/okt nov/nóv des",
    "sty lut mar kwi maj cze lip sie wrz paź lis gru",
    "led úno bře dub kvě čen/čer čec/čvc srp zář říj lis pro",
    "jan feb mar apr máj jún júl aug sep okt nov dec",
    "янв фев мар апр май/мая июн/июня июл/июля авг сен/сент окт ноя/нояб дек",
    "січ лют бер кві тра чер лип сер вер жов лис гру",
    "яну фев мар апр май юни юли авг сеп окт ное дек",
    "oca şub mar nis may haz tem ağu eyl eki kas ara",
    "jan/jan febr márc ápr máj jún júl aug szept/szep okt nov dec",
    "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    "ian feb mar apr mai iun iul aug sep/sept oct nov/noi dec",
    "ιαν φεβ μαρ απρ μαΐ/μαϊ/μάι ιούν/ιουν ιούλ/ιουλ αύγ/αυγ σεπ οκτ νοέ/νοε δεκ",
    "gen febr març abr maig juny jul ag set oct nov des",
    "一 二 三 四 五 六 七 八 九 十 十一 十二",
    "ม.ค ก.พ มี.ค เม.ย พ.ค มิ.ย ก.ค ส.ค ก.ย ต.ค พ.ย ธ.ค",
  ]

  private static let numbers: [String: Int] = {
    var numbers: [String: Int] = [:]
    for language in languages {
      for (index, forms) in language.split(separator: " ").enumerated() {
        for form in forms.split(separator: "/") where numbers[String(form)] == nil {
          numbers[String(form)] = index + 1
        }
      }
    }
    return numbers
  }()

  /// Takes names, and remembers the last one: nearly every line has the same month as the line before.
  struct Cache {
    private var bytes: [UInt8] = []
    private var month = 0
    private var english = TextScanner.ShortName()

    /// Takes a month and the separator before the day; the day must follow as a number.
    mutating func take(_ scanner: inout TextScanner) -> Int? {
      var attempt = scanner
      guard let month = attempt.month(&english) ?? takeOther(&attempt) else { return nil }
      _ = attempt.take(UInt8(ascii: "."))
      attempt.skipBlanks()
      guard let digit = attempt.next, digit.isDigit else { return nil }
      scanner = attempt
      return month
    }

    private mutating func takeOther(_ scanner: inout TextScanner) -> Int? {
      guard let first = scanner.next else { return nil }
      if first.isDigit { return takeNumbered(&scanner) }
      let rest = scanner.rest
      var end = 0
      // Letters, and full stops between them; a name has at most a dozen.
      while end < min(rest.count, 24), rest[end] >= 0x80 || rest[end].isLetter || rest[end] == 0x2e {
        end += 1
      }
      if end > 0, rest[end - 1] == 0x2e { end -= 1 }
      guard end > 0, Self.isBeforeNumber(rest, end) else { return nil }
      let word = rest.prefix(end)
      if bytes.isEmpty || !word.bytes.elementsEqual(bytes) {
        guard let number = MonthName.numbers[word.string.lowercased()] else { return nil }
        bytes = Array(word.bytes)
        month = number
      }
      scanner.skip(end)
      return month
    }

    private static func isBeforeNumber(_ text: ByteSlice, _ end: Int) -> Bool {
      var index = end
      if index < text.count, text[index] == 0x2e { index += 1 }
      let blanks = index
      while index < text.count, text[index] == 0x20 { index += 1 }
      return index > blanks && index < text.count && text[index].isDigit
    }

    /// `3月`, `3월`, also after a year, which is ignored.
    private func takeNumbered(_ scanner: inout TextScanner) -> Int? {
      var attempt = scanner
      if attempt.number(4, 4) != nil {
        guard attempt.take("年") else { return nil }
        attempt.skipBlanks()
        scanner = attempt
      }
      guard let number = scanner.number(1, 2), (1...12).contains(number),
        scanner.take("月") || scanner.take("월")
      else { return nil }
      return number
    }
  }
}
