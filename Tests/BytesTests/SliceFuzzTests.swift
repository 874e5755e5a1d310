import TestSupport
import Testing

@testable import Bytes

/// Slices and the scans over them, against the same things byte by byte.
struct SliceFuzzTests {
  @Test func scansStopWhereTheNaiveOnesDo() {
    Fuzzing.run("scans") { generator in
      let bytes = Naive.bytes(&generator)
      let start = generator.below(bytes.count + 1)
      ByteSlice.withCopy(of: bytes) { slice in
        let quote = Naive.stop(bytes, start) { $0 == 0x22 || $0 == 0x5c }
        let found = slice.quoteOrEscape(from: start)
        #expect(found.at == quote.at && found.isPlain == quote.isPlain, "\(bytes) from \(start)")
        let word = Naive.stop(bytes, start) { $0 <= 0x20 || $0 == 0x3d || $0 == 0x22 }
        let end = slice.endOfWord(from: start)
        #expect(end.at == word.at && end.isPlain == word.isPlain, "\(bytes) from \(start)")
        let printable = bytes[start...].prefix { (0x20..<0x7f).contains($0) && $0 != 0x25 }
        #expect(slice.printablePrefix(from: start) == printable.count, "\(bytes) from \(start)")
        let anyPercent = bytes[start...].prefix { (0x20..<0x7f).contains($0) }
        #expect(slice.printablePrefix(from: start, includingPercent: true) == anyPercent.count, "\(bytes)")
        let isBare = bytes.allSatisfy { (0x21..<0x7f).contains($0) && !"=\"\\".utf8.contains($0) }
        #expect(slice.isBareWord == isBare, "\(bytes)")
        #expect(slice.contains(0x3a, or: 0x23) == bytes.contains { $0 == 0x3a || $0 == 0x23 }, "\(bytes)")
        #expect(
          ByteScanner.isPlain(slice.base, count: slice.count) == bytes.allSatisfy(Naive.isPlain), "\(bytes)")
      }
    }
  }

  @Test func closingQuoteIsTheFirstThatIsNotEscaped() {
    Fuzzing.run("closing quotes", seconds: 1) { generator in
      let bytes = (0..<generator.below(60)).map { _ in generator.pick(Array("aaa\\\\\"".utf8)) }
      let start = generator.below(bytes.count + 1)
      var index = start
      while index < bytes.count, bytes[index] != 0x22 { index += bytes[index] == 0x5c ? 2 : 1 }
      ByteSlice.withCopy(of: bytes) { slice in
        #expect(slice.closingQuote(from: start) == min(index, bytes.count), "\(bytes) from \(start)")
      }
    }
  }

  @Test func pointerScansStopWhereTheNaiveOnesDo() {
    Fuzzing.run("pointer scans", seconds: 1) { generator in
      let bytes = Naive.bytes(&generator)
      ByteSlice.withCopy(of: bytes) { slice in
        let end = slice.end
        func expect(_ found: UnsafePointer<UInt8>, _ isStop: (UInt8) -> Bool) {
          #expect(found - slice.base == bytes.firstIndex(where: isStop) ?? bytes.count, "\(bytes)")
        }
        expect(ByteScanner.first(0x22, slice.base, end)) { $0 == 0x22 }
        expect(ByteScanner.endOfPlainWord(slice.base, end)) { " =\"".utf8.contains($0) }
        expect(ByteScanner.endOfPlainKey(slice.base, end)) { " =\"".utf8.contains($0) }
        expect(ByteScanner.endOfPlainOrQuotes(slice.base, end)) { $0 != 0x22 && !Naive.isPlain($0) }
      }
    }
  }

  @Test func searchesAgreeWithThoseOfArrays() {
    Fuzzing.run("searches", seconds: 1) { generator in
      let bytes = Naive.bytes(&generator)
      let other = generator.oneIn(3) ? bytes : Naive.bytes(&generator, upTo: 6)
      let from = generator.below(bytes.count + 1)
      let byte = Naive.bytes(&generator, upTo: 2).first ?? 0x61
      ByteSlice.withCopy(of: bytes) { slice in
        #expect(slice.firstIndex(of: byte, from: from) == bytes[from...].firstIndex(of: byte))
        #expect(slice.lastIndex(of: byte) == bytes.lastIndex(of: byte))
        #expect(slice.contains(byte) == bytes.contains(byte))
        let isBlank: (UInt8) -> Bool = { $0 <= 0x20 }
        let front = bytes.drop(while: isBlank)
        let trimmed = front.reversed().drop(while: isBlank).reversed()
        #expect(Array(slice.trimmed.bytes) == Array(trimmed), "\(bytes)")
        ByteSlice.withCopy(of: other) { second in
          #expect(slice.equals(second) == (bytes == other))
          #expect(slice.precedes(second) == bytes.lexicographicallyPrecedes(other), "\(bytes), \(other)")
        }
        let (lower, upper) = (generator.below(90) - 5, generator.below(90) - 5)
        let held = max(0, min(upper, bytes.count))
        let first = max(0, min(lower, held))
        #expect(Array(slice.slice(lower, upper).bytes) == Array(bytes[first..<held]))
      }
      let text = Naive.text(&generator)
      ByteSlice.withCopy(of: Array(text.utf8)) { #expect($0.isSame(as: text) && $0.string == text) }
    }
  }

  @Test func constantsAreFoundWhereTheyStand() {
    ByteSlice.withCopy(of: Array("level=info level=debug".utf8)) { text in
      #expect(text.hasPrefix("level=") && !text.hasPrefix("level:") && text.hasSuffix("debug"))
      #expect(text.range(of: "level", from: 1) == 11 && text.range(of: "warn") == nil)
      #expect(text.range(of: "", from: 22) == 22 && text.range(of: "a", from: 23) == nil)
      #expect(text.prefix(5) == "level" && text.prefix(5) != "Level" && text.dropFirst(99).isEmpty)
      #expect(text.part(6, 10, isPlain: true) == "info")
    }
  }

  @Test func sliceBeyondItsEndsStopsTheProgram() async {
    await #expect(processExitsWith: .failure) { ByteSlice.withCopy(of: [1, 2]) { _ = $0[2] } }
    await #expect(processExitsWith: .failure) { ByteSlice.withCopy(of: [1, 2]) { _ = $0[-1] } }
    await #expect(processExitsWith: .failure) {
      ByteSlice.withCopy(of: [1, 2]) { _ = $0.part(1, 3, isPlain: false) }
    }
  }

  @Test func structuralIndexHasThePlacesOfTheLine() {
    var index = StructuralIndex()
    Fuzzing.run("structural index", seconds: 1) { generator in
      let bytes = Naive.bytes(&generator, upTo: 700)
      let endsAtLineFeed = generator.oneIn(2)
      let length = endsAtLineFeed ? bytes.firstIndex(of: 0x0a) ?? bytes.count : bytes.count
      var places: [Int] = []
      var isInQuotes = false
      for (place, byte) in bytes[..<length].enumerated() {
        switch byte {
        case 0x22:
          if !isInQuotes, place == 0 || bytes[place - 1] != 0x3d { places.append(place) }
          isInQuotes.toggle()
        case 0x20, 0x3d: if !isInQuotes { places.append(place) }
        default: if !Naive.isPlain(byte) { places.append(place) }
        }
      }
      ByteSlice.withCopy(of: bytes) { slice in
        index.find(in: slice, endsAtLineFeed: endsAtLineFeed)
      }
      let (indexed, count) = (index.length, index.count)
      #expect(indexed == length, "\(bytes)")
      let found = (0..<index.count).map { index[$0] }
      if count == places.count + 1 {
        #expect(found == places + [length], "\(bytes)")
      } else {
        // A line with very many places is indexed as far as they go.
        #expect(places.count > 180 && found == Array(places.prefix(found.count)), "\(bytes)")
      }
    }
  }

  @Test func arenaKeepsWhatItHandsOut() {
    var arena = Arena()
    Fuzzing.run("arena", seconds: 1) { generator in
      arena.reset()
      var kept: [(ByteSlice, [UInt8])] = []
      for _ in 0..<generator.below(12) {
        let bytes = Naive.bytes(&generator, upTo: generator.oneIn(20) ? 70_000 : 100)
        if generator.oneIn(3), let (first, expected) = kept.last {
          kept.append((arena.join(first, 0x2e, arena.copy(bytes)), expected + [0x2e] + bytes))
        } else {
          kept.append((arena.copy(bytes), bytes))
        }
      }
      for (slice, bytes) in kept { #expect(slice.bytes.elementsEqual(bytes)) }
    }
    let (plain, text) = (arena.copy("plain" as StaticString), arena.copy("text" as String))
    #expect(plain == "plain" && text == "text")
  }

  @Test func plainMembersAreTheOnesThatAreThere() {
    var index = StructuralIndex()
    Fuzzing.run("plain members", seconds: 1) { generator in
      func word() -> String {
        String((0..<generator.below(6)).map { _ in generator.pick(Array("abc019=: ,")) })
      }
      // A number stands without quotes.
      func value() -> String {
        generator.oneIn(3) ? String(generator.below(2000)) : "\"\(word())\""
      }
      let pairs = (0..<generator.below(8)).map { _ in (word(), value()) }
      var bytes = Array(("{" + pairs.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}").utf8)
      let isBroken = generator.oneIn(2)
      if isBroken { bytes[generator.below(bytes.count)] = generator.pick(Array("\"\\,:{}x ".utf8)) }
      ByteSlice.withCopy(of: bytes) { text in
        index.find(in: text, endsAtLineFeed: false)
        var offset = 1
        var place = 0
        var found: [(String, String)] = []
        var isLast = false
        while !isLast {
          let plain = index.plainMember(place, in: text, from: offset)
          guard let one = plain ?? index.numberMember(place, in: text, from: offset) else { break }
          let member = one.member
          // Each lies between its quotes, is plain, and ends before the next begins.
          #expect(one.next > offset && one.next < bytes.count)
          #expect(member.name.bytes.allSatisfy(Naive.isPlain) && member.value.bytes.allSatisfy(Naive.isPlain))
          let value = plain == nil ? member.value.string : "\"\(member.value.string)\""
          let written = "\"\(member.name.string)\":\(value)" + (one.isLast ? "" : ",")
          #expect(Array(bytes[offset..<one.next]) == Array(written.utf8))
          #expect(!one.isLast || one.next == bytes.count - 1 && bytes[one.next] == 0x7d)
          if plain == nil { #expect(value == "0" || !value.hasPrefix("0"), "\(value)") }
          found.append((member.name.string, value))
          isLast = one.isLast
          offset = one.next
          place += plain == nil ? 1 : 2
        }
        guard !isBroken else { return }
        // They stop at a text that is empty or has a mark of its own, at the latest with the last one.
        #expect(found.count <= pairs.count && isLast == (!pairs.isEmpty && found.count == pairs.count))
        for (ours, theirs) in zip(found, pairs) { #expect(ours == theirs) }
      }
    }
  }

  @Test func reusedListHoldsWhatAnArrayWouldHold() {
    var list = ReusedList<Int>(capacity: 1)
    Fuzzing.run("reused list", seconds: 0.5) { generator in
      list.removeAll()
      let expected = (0..<generator.below(100)).map { _ in generator.below(1000) }
      for element in expected { list.append(element) }
      let held = (0..<list.count).map { list[$0] }
      #expect(held == expected)
    }
  }
}
