import Foundation
import Testing

extension Trait where Self == ConditionTrait {
  /// Skips a test where a program that it needs is not installed, as `make check` may find it. `make test` installs every
  /// program and sets `KATA_TEST_ALL`: there the test runs, and fails without its program.
  package static func needs(_ programs: String...) -> Self {
    let missing = programs.filter { !isInstalled($0) }
    let isWhole = ProcessInfo.processInfo.environment["KATA_TEST_ALL"] != nil
    return .enabled(
      if: isWhole || missing.isEmpty, "not installed: \(missing.joined(separator: ", "))")
  }

  private static func isInstalled(_ program: String) -> Bool {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }
}
