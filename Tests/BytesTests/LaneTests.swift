import CLanes
import TestSupport
import Testing

/// The scans that are compiled for two kinds of processor, against the same thing done byte by byte.
struct LaneTests {
  private static let padding = 72
  /// Whether the wide form is tested: the portable one always is.
  private static let forms = kata_is_wide() ? [false, true] : [false]

  @Test(.enabled(if: kata_is_wide(), "this processor has no AVX2: only the portable form is compared"))
  func bothFormsAreCompared() { #expect(Self.forms == [false, true]) }

  /// Texts of the bytes that matter, of all lengths around those of blocks.
  private static func texts() -> [[UInt8]] {
    var generator = SplitMix64(state: 11)
    let letters = Array("aaaaaabz=\" \\\n%<>&'#time=".utf8) + [0x00, 0x09, 0x1f, 0x7f, 0x80, 0xc3, 0xff]
    let common = Array("abcdefgh =\"".utf8)
    return (0..<3000).map { number in
      let alphabet = number % 2 == 0 ? letters : common
      return (0..<(number % 331)).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] }
    }
  }

  private struct Index: Equatable {
    var places: [UInt32] = []
    var length = 0
    var isWhole = true
  }

  /// What ``kata_index_line`` says it does.
  private static func index(_ text: [UInt8], endsAtLineFeed: Bool) -> Index {
    let length = endsAtLineFeed ? text.firstIndex(of: 0x0a) ?? text.count : text.count
    var result = Index(length: length)
    var isInQuotes = false
    for (place, byte) in text[..<length].enumerated() {
      switch byte {
      case 0x22:
        if !isInQuotes, place == 0 || text[place - 1] != 0x3d { result.places.append(UInt32(place)) }
        isInQuotes.toggle()
      case 0x20, 0x3d:
        if !isInQuotes { result.places.append(UInt32(place)) }
      case 0..<0x20, 0x7f..., 0x25, 0x26, 0x3c, 0x3e, 0x5c: result.places.append(UInt32(place))
      default: break
      }
    }
    return result
  }

  @Test(arguments: Self.forms, [false, true])
  func indexHasThePlacesOfTheLine(isWide: Bool, endsAtLineFeed: Bool) {
    let capacity = 512
    for text in Self.texts() {
      // What follows the text must not count.
      let padded = text + [UInt8](repeating: 0x22, count: Self.padding)
      var places = [UInt32](repeating: 0, count: capacity + 72)
      let find = isWide ? kata_index_line_wide : kata_index_line_narrow
      let found = find(padded, text.count, &places, capacity, endsAtLineFeed)
      let ours = Index(
        places: Array(places[..<found.count]), length: found.length, isWhole: found.is_whole)
      #expect(ours == Self.index(text, endsAtLineFeed: endsAtLineFeed), "\(text)")
    }
  }

  @Test(arguments: Self.forms)
  func indexStopsWhenThePlacesAreTooMany(isWide: Bool) {
    let text = [UInt8](repeating: 0x3d, count: 1000)
    var places = [UInt32](repeating: 0, count: 100 + 72)
    let find = isWide ? kata_index_line_wide : kata_index_line_narrow
    let found = find(text, text.count, &places, 100, true)
    #expect(!found.is_whole && found.count == 128 && found.length == 128)
    #expect(places[..<128].elementsEqual(0..<128))
  }

  @Test(arguments: Self.forms)
  func lineEndIsTheFirstLineFeed(isWide: Bool) {
    for text in Self.texts() {
      let padded = text + [UInt8](repeating: 0x0a, count: Self.padding)
      let length = text.firstIndex(of: 0x0a) ?? text.count
      let time = Array("time=".utf8)
      let hasTime = (0..<max(0, length - 4)).contains { text[$0..<($0 + 5)].elementsEqual(time) }
      padded.withUnsafeBufferPointer { bytes in
        guard let start = bytes.baseAddress else { return }
        let find = isWide ? kata_find_line_end_wide : kata_find_line_end_narrow
        let found = find(start, start + text.count)
        #expect(found.end == start + length && found.has_time == hasTime, "\(text)")
      }
    }
  }
}
