/// The escapes of one letter that JSON, TOML and logfmt share (https://www.rfc-editor.org/rfc/rfc8259#section-7).
///
/// The writers differ in what else they escape, because each matches another program:
/// ``ByteWriter/put(json:)-(UnsafeRawBufferPointer)`` as little as JSON allows, the log parser's JSON and logfmt as
/// Go's encoders, its TOML as Go's TOML encoder. Only the letters themselves are shared.
public enum JSONEscape {
  /// Which characters have a letter.
  public enum Letters: Sendable {
    /// All that JSON has.
    case all
    /// Those that Go's `encoding/json` used until Go 1.22: `\b` and `\f` are written as `\u0008` and `\u000c`.
    case withoutBackspaceAndFormFeed
  }

  /// The letter after the backslash; nil if the character must be written as `\u00XX`, or needs no escape.
  @inlinable @inline(__always)
  public static func letter(for byte: UInt8, _ letters: Letters = .all) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
    case UInt8(ascii: "\n"): UInt8(ascii: "n")
    case UInt8(ascii: "\r"): UInt8(ascii: "r")
    case UInt8(ascii: "\t"): UInt8(ascii: "t")
    case 0x08 where letters == .all: UInt8(ascii: "b")
    case 0x0c where letters == .all: UInt8(ascii: "f")
    default: nil
    }
  }

  /// The byte for the letter after a backslash; nil for `u` and letters that JSON does not have.
  @inlinable @inline(__always)
  public static func byte(for letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "n"): UInt8(ascii: "\n")
    case UInt8(ascii: "r"): UInt8(ascii: "\r")
    case UInt8(ascii: "t"): UInt8(ascii: "\t")
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0c
    default: nil
    }
  }
}

extension OutputBuffer.Cursor {
  /// Puts the escape of a character below U+0080: two bytes if it has a letter, otherwise six.
  @inlinable @inline(__always)
  public mutating func put(escaped byte: UInt8, _ letters: JSONEscape.Letters = .all) {
    put(UInt8(ascii: "\\"))
    if let letter = JSONEscape.letter(for: byte, letters) { return put(letter) }
    put("u00")
    put(hex: byte)
  }
}
