import Foundation
import TestSupport

/// Running the real log parser, or another program.
enum Tool {
  typealias Result = Program.Result

  private static let built = BuiltTool("kata-log-parser", variable: "KATA_LOG_PARSER")

  /// The release binary that `make build` made, or the one that `KATA_LOG_PARSER` names.
  static var path: String { get throws { try built.path } }

  /// Runs the log parser to its end.
  static func run(
    _ arguments: [String], input: Data = Data(), environment: [String: String] = [:], in folder: URL? = nil
  ) throws -> Result {
    try Program.run(path, arguments, input: input, environment: environment, in: folder)
  }

  /// Runs a program to its end.
  static func run(
    _ program: String, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:],
    in folder: URL? = nil
  ) throws -> Result {
    try Program.run(program, arguments, input: input, environment: environment, in: folder)
  }
}
