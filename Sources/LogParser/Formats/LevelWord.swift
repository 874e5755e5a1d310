import Bytes

/// The levels as loggers spell them, in the runtime's words.
enum LevelWord {
  /// The longest spelling.
  private static let limit = 9

  /// The runtime's word for a level in any spelling and case; nil when the word is no level.
  static func level(_ word: ByteSlice, _ arena: inout Arena) -> ByteSlice? {
    guard word.count >= 1, word.count <= limit else { return nil }
    let upper = arena.reserve(word.count)
    for index in 0..<word.count {
      let byte = word[index]
      upper[index] = byte.isLower ? byte & 0xdf : byte
    }
    let name = arena.commit(word.count)
    switch name.count {
    case 3...5: return short(name, &arena)
    case 6: return name == "NOTICE" ? LevelName.info : nil
    case 7: return name == "WARNING" ? LevelName.warning : nil
    case 8: return name == "CRITICAL" ? LevelName.critical : nil
    case 9: return name == "EMERGENCY" ? LevelName.critical : nil
    default: return nil
    }
  }

  private static func short(_ name: ByteSlice, _ arena: inout Arena) -> ByteSlice? {
    if name == "INFO" || name == "INF" { return LevelName.info }
    if name == "WARN" || name == "WRN" { return LevelName.warning }
    if name == "ERROR" || name == "ERRO" || name == "ERR" { return LevelName.error }
    if name == "DEBUG" || name == "DEBG" || name == "DEBU" || name == "DBG" { return LevelName.debug }
    if name == "TRACE" || name == "TRCE" || name == "TRAC" { return LevelName.trace }
    if name == "CRIT" || name == "ALERT" || name == "EMERG" { return LevelName.critical }
    if name == "FATAL" || name == "FATA" { return arena.copy("fatal" as StaticString) }
    if name == "PANIC" || name == "PANI" { return arena.copy("panic" as StaticString) }
    return nil
  }
}
