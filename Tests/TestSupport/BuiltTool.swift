import Foundation

/// A binary that `make build` made, for the tests that run it.
package struct BuiltTool: Sendable {
  private let name: String
  private let variable: String
  private let found: Result<String, TestFailure>

  /// - Parameter variable: the environment variable that names another binary, which is then taken as it is.
  package init(_ name: String, variable: String) {
    self.name = name
    self.variable = variable
    found = Self.find(name, variable)
  }

  /// Its path; throws when it is missing, or older than the sources.
  package var path: String { get throws { try found.get() } }

  private static func find(_ name: String, _ variable: String) -> Result<String, TestFailure> {
    if let path = ProcessInfo.processInfo.environment[variable] { return .success(path) }
    let folder = Repository.url(".build/release")
    let tool = folder.appendingPathComponent(name)
    let remedy = "run `make build` first, or name a binary in \(variable)"
    guard let linked = modified(tool) else {
      return .failure(TestFailure(description: "there is no \(tool.path): \(remedy)"))
    }
    // A tool is linked again only when a module of its own changed, so the time of the last `make build` counts too.
    let built = max(linked, modified(folder.appendingPathComponent("build-began")) ?? .distantPast)
    if let source = newest, source.time > built {
      return .failure(TestFailure(description: "\(tool.path) is older than \(source.path): \(remedy)"))
    }
    return .success(tool.path)
  }

  /// The source that changed last. The commit's number is not a source: it is written while building.
  private static let newest: (path: String, time: Date)? = {
    let sources = Repository.root.appendingPathComponent("Sources")
    let names = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
    return names.filter { $0 != "CVersion/commit.h" && $0.contains(".") }
      .compactMap { name in modified(sources.appendingPathComponent(name)).map { ("Sources/\(name)", $0) } }
      .max { $0.1 < $1.1 }
  }()

  private static func modified(_ file: URL) -> Date? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file.resolvingSymlinksInPath().path)
    return attributes?[.modificationDate] as? Date
  }
}
