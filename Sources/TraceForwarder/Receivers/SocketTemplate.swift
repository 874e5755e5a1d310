/// Where the sandboxes' hypervisors have their sockets: a path with `{ID}` in the place of one name, such as
/// `/run/vc/vm/{ID}/clh.sock`.
package struct SocketTemplate: Sendable, Equatable, CustomStringConvertible {
  /// The directory that has an entry for each sandbox.
  package let directory: String
  /// The text before and after the id in the entry's name, and after the entry.
  private let prefix: String
  private let suffix: String
  private let rest: String

  package init?(_ text: String) {
    guard text.hasPrefix("/"), text.components(of: "{ID}") == 2 else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    guard let index = parts.firstIndex(where: { $0.contains("{ID}") }), !parts.contains("."),
      !parts.contains("..")
    else { return nil }
    directory = "/" + parts[..<index].joined(separator: "/")
    let sides = parts[index].splitOnce("{ID}")
    (prefix, suffix) = sides
    rest = parts[(index + 1)...].map { "/" + $0 }.joined()
  }

  package var description: String { "\(directory)/\(prefix){ID}\(suffix)\(rest)" }

  /// The id in a name of the directory; nil when the name is not of a sandbox. An id has letters, digits, `.`, `_` and
  /// `-` alone, as Kata checks it, so a path can be made of it. The sockets for `port` are of no sandbox.
  package func sandbox(entry: String, port: UInt32) -> String? {
    guard entry.hasPrefix(prefix), entry.hasSuffix(suffix),
      entry.utf8.count > prefix.utf8.count + suffix.utf8.count, !rest.isEmpty || !entry.hasSuffix("_\(port)")
    else { return nil }
    let id = String(entry.dropFirst(prefix.count).dropLast(suffix.count))
    guard id.utf8.count <= 128, id.first != ".", id.utf8.allSatisfy(Self.isIDByte) else { return nil }
    return id
  }

  private static func isIDByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
    default: false
    }
  }

  /// The path at which the hypervisor connects for a guest's connection to `port`.
  package func path(sandbox: String, port: UInt32) -> String {
    let directory = socketDirectory(sandbox: sandbox)
    return "\(directory == "/" ? "" : directory)/\(socketName(sandbox: sandbox, port: port))"
  }

  /// The directory that the path is in.
  package func socketDirectory(sandbox: String) -> String {
    guard let slash = rest.lastIndex(of: "/") else { return directory }
    return "\(directory)/\(prefix)\(sandbox)\(suffix)\(rest[..<slash])"
  }

  /// How many names lead from ``directory`` to the socket's.
  package var depth: Int { rest.utf8.count { $0 == 0x2f } }

  /// The path's name in its directory.
  package func socketName(sandbox: String, port: UInt32) -> String {
    guard let slash = rest.lastIndex(of: "/") else { return "\(prefix)\(sandbox)\(suffix)_\(port)" }
    return "\(rest[rest.index(after: slash)...])_\(port)"
  }
}

extension String {
  fileprivate func components(of separator: String) -> Int {
    var count = 1
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(separator) {
        count += 1
        rest = rest.dropFirst(separator.count)
      } else {
        rest = rest.dropFirst()
      }
    }
    return count
  }

  fileprivate func splitOnce(_ separator: String) -> (String, String) {
    var before = ""
    var rest = self[...]
    while !rest.isEmpty, !rest.hasPrefix(separator) { before.append(rest.removeFirst()) }
    return (before, String(rest.dropFirst(separator.count)))
  }
}
