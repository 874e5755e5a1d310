import Foundation

/// A folder of a test's own, which is removed when nothing refers to it anymore.
package final class TemporaryFolder: Sendable {
  package let url: URL

  /// - Parameter inMemory: whether to make it in memory where the system has a folder for that, for tests that sync often.
  package init(inMemory: Bool = false) throws {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let isThere = inMemory && FileManager.default.isWritableFile(atPath: memory.path)
    let parent = isThere ? memory : FileManager.default.temporaryDirectory
    let path = parent.appendingPathComponent("kata-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
    url = path.resolvingSymlinksInPath()
  }

  /// Calls `body` with a folder that exists until it returns.
  package static func use(_ body: (URL) throws -> Void) throws {
    let folder = try TemporaryFolder()
    try withExtendedLifetime(folder) { try body(folder.url) }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of something in it.
  package func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Makes a folder in it.
  package func make(_ name: String) throws -> URL {
    let path = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
    return path
  }

  /// Writes a file and returns its path.
  @discardableResult
  package func write(_ name: String, _ bytes: some Collection<UInt8>) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    return path(name)
  }

  /// Writes a file of text and returns its path.
  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String { try write(name, text.utf8) }
}
