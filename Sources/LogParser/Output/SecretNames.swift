import Bytes

/// What the name before a `=` or `:` says about the value after it.
enum SecretName {
  /// The value is a secret, whatever it looks like.
  case secret
  /// The value is a secret if it looks like one: the word also occurs in prose, as in "unexpected token: end of file".
  case likely
  /// The value is the rest of a header's line.
  case header
  /// The value is a list of environment variables.
  case environment

  private struct Word {
    var text: StaticString
    var name: SecretName
    /// Whether the word must be at the beginning of the name or of a part of it: `DB_PASS`, but not `bypass`.
    var isPart = false
    /// Whether the name must be longer than this word: `PWD` is a directory.
    var needsMore = false
    /// Whether the word must be the whole name, or what follows a full stop in it.
    var isWhole = false

    /// The last letter as a number from 1 to 26.
    var lastLetter: Int { text.withUTF8Buffer { Int(($0.last ?? 0) & 31) } }

    var ending: Ending {
      let tail = text.withUTF8Buffer { $0.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1 | 0x20) } }
      let count = text.utf8CodeUnitCount
      return Ending(tail: tail, mask: count < 4 ? 0xff_ffff : 0xffff_ffff, count: count)
    }
  }

  /// What tells most names from a word at once: its last letters, four at most, and its length.
  private struct Ending {
    var tail: UInt32
    var mask: UInt32
    var count: Int
  }

  /// The ends of names. A longer one comes before a shorter one that it ends with.
  private static let words = [
    Word(text: "env", name: .environment, isWhole: true),
    Word(text: "envs", name: .environment, isWhole: true),
    Word(text: "environ", name: .environment, isWhole: true),
    Word(text: "environment", name: .environment, isWhole: true),
    Word(text: "authorization", name: .header), Word(text: "set-cookie", name: .header, isPart: true),
    Word(text: "cookie", name: .header, isPart: true),
    Word(text: "password", name: .secret), Word(text: "passwd", name: .secret),
    Word(text: "passphrase", name: .secret), Word(text: "secret", name: .secret),
    Word(text: "secret_key_base", name: .secret), Word(text: "secretkey", name: .secret),
    Word(text: "secret_key", name: .secret), Word(text: "secret-key", name: .secret),
    Word(text: "apikey", name: .secret), Word(text: "api_key", name: .secret),
    Word(text: "api-key", name: .secret), Word(text: "accesskey", name: .secret),
    Word(text: "access_key", name: .secret), Word(text: "access-key", name: .secret),
    Word(text: "accountkey", name: .secret), Word(text: "account_key", name: .secret),
    Word(text: "privatekey", name: .secret), Word(text: "private_key", name: .secret),
    Word(text: "private-key", name: .secret), Word(text: "encryption_key", name: .secret),
    Word(text: "signing_key", name: .secret), Word(text: "x-amz-signature", name: .secret),
    Word(text: "credentials", name: .likely), Word(text: "credential", name: .likely),
    Word(text: "token", name: .likely), Word(text: "auth", name: .likely, isPart: true),
    Word(text: "jwt", name: .likely, isPart: true), Word(text: "sig", name: .likely, isPart: true),
    Word(text: "pass", name: .likely, isPart: true),
    Word(text: "pwd", name: .secret, isPart: true, needsMore: true),
  ]

  /// The words in the order of their last letters, and at which of them each letter's begin. The sort is stable.
  private static let byLetter = words.sorted { $0.lastLetter < $1.lastLetter }
  private static let endings = byLetter.map(\.ending)
  private static let starts = (0...32).map { letter in byLetter.count { $0.lastLetter < letter } }

  /// For the last letter of each word, a bit.
  private static let lastLetters = words.reduce(UInt32(0)) { $0 | 1 << UInt32($1.lastLetter) }

  /// Whether a name may be one of these by its last letter.
  @inline(__always)
  static func mayEnd(with letter: UInt8) -> Bool {
    let lower = letter | 0x20
    guard lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "z") else { return false }
    return lastLetters >> UInt32(lower & 31) & 1 == 1
  }

  /// Nil for most names.
  @inline(never)
  init?(_ name: ByteSlice) {
    let letter = Int(name.peek(name.count - 1) & 31)
    var tail: UInt32 = 0
    for offset in 1...4 { tail |= UInt32(name.peek(name.count - offset) | 0x20) << UInt32(8 * (offset - 1)) }
    for index in Self.starts[letter]..<Self.starts[letter + 1] {
      let ending = Self.endings[index]
      if (tail ^ ending.tail) & ending.mask != 0 || name.count < ending.count { continue }
      let word = Self.byLetter[index]
      guard Self.ends(name, with: word.text) else { continue }
      let rest = name.count - word.text.utf8CodeUnitCount
      if word.needsMore, rest == 0 { continue }
      if word.isPart, rest > 0, !Self.isBoundary(name, rest) { continue }
      if word.isWhole, rest > 0, name[rest - 1] != UInt8(ascii: ".") { continue }
      self = word.name
      return
    }
    return nil
  }

  private static func ends(_ name: ByteSlice, with word: StaticString) -> Bool {
    let start = name.count - word.utf8CodeUnitCount
    guard start >= 0 else { return false }
    return word.withUTF8Buffer { letters in
      // Most differ near their ends.
      for index in stride(from: letters.count - 1, through: 0, by: -1) {
        let byte = name[start + index]
        let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
        if lower != letters[index] { return false }
      }
      return true
    }
  }

  /// Whether a part of the name begins at `index`: after a sign, or with a capital after a small letter.
  private static func isBoundary(_ name: ByteSlice, _ index: Int) -> Bool {
    let before = name[index - 1]
    if !before.isLetter { return true }
    return before >= UInt8(ascii: "a") && name[index] < UInt8(ascii: "a")
  }
}
