import Glibc

/// Errors of regcomp(3) as text.
enum RegularExpression {
  /// An expression that cannot be used.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// The text for an error code.
  static func reason(_ code: Int32, _ expression: inout regex_t) -> String {
    var text = [CChar](repeating: 0, count: 128)
    regerror(code, &expression, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
