import Bytes
import Glibc

/// The secret of a spool: what its records begin with, and what their checksums start from.
///
/// A guest chooses most bytes of a payload. What it cannot know it cannot imitate, so that a search for the next record
/// after damage never finds one of a guest's making.
package struct SpoolKey: Equatable, Sendable {
  /// The first eight bytes of each record, as they are in memory.
  package let marker: UInt64
  /// What checksums start from, in place of all ones.
  package let seed: UInt32

  package init(marker: UInt64, seed: UInt32) {
    self.marker = marker
    self.seed = seed
  }

  /// A new secret from the system's random numbers. Its marker has some ones, so that damage does not make it zeros.
  package static func random() -> SpoolKey {
    var generator = SystemRandomNumberGenerator()
    var marker: UInt64 = 0
    repeat { marker = generator.next() } while !(16...48).contains(marker.nonzeroBitCount)
    return SpoolKey(marker: marker, seed: generator.next())
  }

  /// Bytes of the marker, the length and the checksum before each payload.
  package static let recordHeaderBytes = 16

  /// What precedes a payload in a record of version 2.
  struct RecordHeader {
    var marker: UInt64
    /// Bytes of the payload; not checked.
    var length: UInt32
    /// The CRC-32C of the length and the payload, from the seed on.
    var checksum: UInt32

    /// Nil when the bytes end before the header does.
    init?(at offset: Int, in bytes: UnsafeRawBufferPointer) {
      guard let marker = bytes.little(UInt64.self, at: offset),
        let length = bytes.little(UInt32.self, at: offset + 8),
        let checksum = bytes.little(UInt32.self, at: offset + 12)
      else { return nil }
      (self.marker, self.length, self.checksum) = (marker, length, checksum)
    }

    /// Whether a payload can have the length.
    var isPlausible: Bool { length > 0 && length <= SpoolFormat.maximumPayload }
  }

  /// Appends a record of version 2.
  package func append(_ payload: UnsafeRawBufferPointer, to out: inout ByteWriter) {
    let length = UInt32(truncatingIfNeeded: payload.count)
    out.little(marker)
    out.little(length)
    out.little(checksum(length, payload))
    out.put(payload)
  }

  /// The checksum over the length and the payload.
  func checksum(_ length: UInt32, _ payload: UnsafeRawBufferPointer) -> UInt32 {
    ~CRC32C.update(CRC32C.update(seed, little: length), payload)
  }

  /// The checksum of a text, such as a position's.
  func checksum(_ text: String) -> UInt32 {
    Array(text.utf8).withUnsafeBytes { ~CRC32C.update(seed, $0) }
  }
}

/// The 96 bytes that a segment and the key's file begin with: the same 32 bytes three times, so that no single damage
/// costs what they say.
///
/// Each copy has eight bytes of magic that end in the version, the marker, the seed, eight zeros, and the CRC-32C of
/// these 28 bytes. Every later version keeps the magics where they are.
enum SpoolHeader {
  /// Whose header it is, by the magic without the version.
  enum Kind: String {
    case segment = "KATASPL"
    case key = "KATAKEY"
  }

  enum Reading: Equatable {
    case key(SpoolKey)
    case version1
    case newer(String)
    /// Nothing that any version writes, or too damaged to tell.
    case unknown
  }

  static let version: UInt8 = UInt8(ascii: "2")
  static let copyBytes = 32
  static let copies = 3
  static let bytes = copyBytes * copies

  static func encode(_ key: SpoolKey, _ kind: Kind) -> [UInt8] {
    var copy = ByteWriter(capacity: copyBytes)
    copy.put(string: kind.rawValue)
    copy.put(version)
    copy.little(key.marker)
    copy.little(key.seed)
    copy.little(UInt64(0))
    copy.little(CRC32C.checksum(copy.bytes))
    return Array(repeatElement(copy.array, count: copies).joined())
  }

  /// Identifies a file by its first bytes; fewer than ``bytes`` are read as far as possible.
  ///
  /// Only the first copy is where no guest's bytes can be in a file of version 1. The others are believed when they say
  /// the secret that is known already, or when the first one's magic is nearly whole.
  static func read(_ head: [UInt8], _ kind: Kind, known: SpoolKey? = nil) -> Reading {
    let copies = stride(from: 0, to: min(head.count, bytes), by: copyBytes).map {
      Array(head[$0..<min(head.count, $0 + copyBytes)])
    }
    let keys: [SpoolKey?] = copies.map {
      version($0, kind) == version && hasGoodChecksum($0) ? key($0) : nil
    }
    if let known, keys.contains(known) { return .key(known) }
    if let first = keys.first ?? nil { return .key(first) }
    // Without a record after it, a header of version 1 has nothing that could be lost, so its version is taken literally.
    if kind == .segment, head.count <= SpoolFormat.headerBytes, let found = version(head, kind),
      found > version,
      found <= UInt8(ascii: "9")
    {
      return .newer(name(found))
    }
    if kind == .segment, isVersion1(head) { return .version1 }
    guard let first = copies.first, isNearly(first, kind) else { return .unknown }
    for case let key? in keys { return .key(key) }
    // Each copy is damaged, in different places: two of three are right about each bit.
    if copies.count == Self.copies, copies.allSatisfy({ $0.count == copyBytes }) {
      var voted = (0..<copyBytes).map { majority(copies[0][$0], copies[1][$0], copies[2][$0]) }
      voted[7] = version
      if hasGoodChecksum(voted), let key = key(voted) { return .key(key) }
    }
    // One flipped bit makes no later version: its magic is there twice at least.
    let versions = copies.compactMap { version($0, kind) }.filter { $0 > version }
    if let newer = versions.first, versions.filter({ $0 == newer }).count >= 2 { return .newer(name(newer)) }
    return .unknown
  }

  /// Whether these few bytes are all that was written of a header before a crash.
  static func isBeginning(_ head: [UInt8], of key: SpoolKey?) -> Bool {
    if SpoolFormat.magic.starts(with: head) { return true }
    guard let key else { return false }
    return encode(key, .segment).starts(with: head)
  }

  private static func majority(_ a: UInt8, _ b: UInt8, _ c: UInt8) -> UInt8 { a & b | a & c | b & c }

  private static func hasGoodChecksum(_ copy: [UInt8]) -> Bool {
    guard copy.count == copyBytes else { return false }
    return copy.withPart(0..<28) { CRC32C.checksum($0) } == copy.little(UInt32.self, at: 28)
  }

  /// Version 1 has zeros where later ones have a marker. A few flipped bits do not make it another version.
  private static func isVersion1(_ head: [UInt8]) -> Bool {
    head.count >= SpoolFormat.headerBytes && differingBits(head, SpoolFormat.magic) <= 8
  }

  /// Whether all but a few bits of the magic, without the version, are there.
  private static func isNearly(_ copy: [UInt8], _ kind: Kind) -> Bool {
    copy.count >= 8 && differingBits(copy, Array(kind.rawValue.utf8)) <= 4
  }

  private static func differingBits(_ a: [UInt8], _ b: [UInt8]) -> Int {
    zip(a, b).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
  }

  private static func version(_ copy: [UInt8], _ kind: Kind) -> UInt8? {
    guard copy.count >= 8, copy.starts(with: kind.rawValue.utf8), copy[7] > UInt8(ascii: "1"),
      copy[7] < 0x7f
    else { return nil }
    return copy[7]
  }

  private static func name(_ version: UInt8) -> String { String(UnicodeScalar(version)) }

  private static func key(_ copy: [UInt8]) -> SpoolKey? {
    guard let marker = copy.little(UInt64.self, at: 8), let seed = copy.little(UInt32.self, at: 16) else {
      return nil
    }
    return SpoolKey(marker: marker, seed: seed)
  }
}
