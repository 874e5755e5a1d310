import Foundation

/// Running other programs to their end.
package enum Program {
  /// The output and status of a program that has ended.
  package struct Result: Sendable {
    /// The exit status, or the number of the signal that ended it as a negative one.
    package var status: Int32
    package var output: Data
    package var errorText: String
    package var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Runs a program to its end. Input and output go through files, so that no pipe can fill up and block.
  package static func run(
    _ program: String, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:],
    in folder: URL? = nil
  ) throws -> Result {
    let scratch = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let folder { process.currentDirectoryURL = folder }
    let inputFile = URL(fileURLWithPath: try scratch.write("in", input))
    let outputFile = URL(fileURLWithPath: try scratch.write("out", ""))
    let errorFile = URL(fileURLWithPath: try scratch.write("err", ""))
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    let status = process.waitForStatus()
    return Result(
      status: status, output: try Data(contentsOf: outputFile),
      errorText: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
  }

  /// Runs a Python script: the system's Python, unless one of the environments of `make test-dependencies` is named.
  package static func python(
    _ arguments: [String], environment: String? = nil, input: Data = Data(), in folder: URL? = nil
  ) throws -> Result {
    let python = environment.map { Repository.path(".build/\($0)/bin/python") } ?? "/usr/bin/python3"
    return try run(python, arguments, input: input, in: folder)
  }
}

extension Process {
  /// Waits for the end, and returns the exit status, or the number of the signal that ended it as a negative one.
  package func waitForStatus() -> Int32 {
    TestThreads.checkMayBlock()
    waitUntilExit()
    return terminationReason == .exit ? terminationStatus : -terminationStatus
  }
}
