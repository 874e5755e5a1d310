import Bytes
import TestSupport
import Testing

@testable import LogParser

@Suite("Positions of a shipper") struct ShipPositionsTests {
  private var sample: ShipPositions {
    var positions = ShipPositions()
    positions.journal = "s=00;i=1"
    var place = FilePlace(path: "/var/log/a b\\c\nd.log", identity: .init(device: 0xfe01, inode: 77))
    place.offset = 123_456
    place.isDelivered = true
    place.check(Array("time=".utf8))
    positions.files = [place, FilePlace(path: "/x", identity: .init(device: 0, inode: .max))]
    return positions
  }

  @Test("What is written is read again") func roundTrip() throws {
    #expect(try ShipPositions(sample.text, path: "p") == sample)
    #expect(try ShipPositions(ShipPositions().text, path: "p") == ShipPositions())
  }

  @Test("Any flipped bit and any truncation is refused") func damage() {
    let bytes = Array(sample.text.utf8)
    for index in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[index] ^= 1 << bit
        let text = String(decoding: damaged, as: UTF8.self)
        #expect(throws: ShipPositions.Refusal.self, "bit \(bit) of byte \(index)") {
          try ShipPositions(text, path: "p")
        }
      }
      let cut = String(decoding: bytes[..<index], as: UTF8.self)
      #expect(throws: ShipPositions.Refusal.self, "cut at \(index)") { try ShipPositions(cut, path: "p") }
    }
  }

  @Test("A newer version is refused and named") func newer() {
    let text = sample.text.replacing("positions 1\n", with: "positions 2\n")
    let error = #expect(throws: ShipPositions.Refusal.self) {
      try ShipPositions(text, path: "/state/positions")
    }
    #expect(error?.description.hasPrefix("/state/positions: its version is 2, not 1") == true)
  }
}
