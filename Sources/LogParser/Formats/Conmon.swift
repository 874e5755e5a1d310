import Bytes

/// A line of the container monitor of CRI-O and Podman: `conmon 5f23f2e924e34ebcc855 <nwarn>: text`, with the beginning
/// of the container's id. https://github.com/containers/conmon
enum Conmon {
  static func read(_ text: ByteSlice, into record: inout Record) {
    record.message = text
    var scanner = TextScanner(text)
    guard scanner.take("conmon "), let id = scanner.word(), scanner.take(" <"), let word = scanner.word(),
      word.hasSuffix(">:"), scanner.take(UInt8(ascii: " "))
    else { return }
    let name = word.prefix(word.count - 2)
    // Its own levels begin with an n.
    let plain = name.hasPrefix("n") ? name.dropFirst(1) : name
    guard let level = LevelName.normalized(name) ?? LevelName.normalized(plain) else { return }
    record.level = level
    record.container = id
    record.message = scanner.rest
  }
}
