import Glibc
import System
import Testing

@testable import LogParser

/// Which way a run takes, for each option that has a say in it.
struct PlanTests {
  enum Way: Equatable { case inOrder, followed, windowed, merged, sorted, checked }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let expected: Way
    var inputs = 1
    /// Whether the file's lines are in order, and whether that may be looked at.
    var isInOrder = true
    var isLookExpected = true
    var fitsSideBySide = true
    var set: @Sendable (inout RunOptions) -> Void = { _ in }
  }

  static let cases = [
    Case(testDescription: "a file in order", expected: .inOrder),
    Case(testDescription: "a file out of order", expected: .sorted, isInOrder: false),
    Case(testDescription: "logfmt alone", expected: .inOrder, set: { $0.inputFormat = .logfmt }),
    Case(testDescription: "a check of a file in order", expected: .inOrder, set: { $0.isCheckOnly = true }),
    Case(
      testDescription: "a check of a file out of order", expected: .checked, isInOrder: false,
      set: { $0.isCheckOnly = true }),
    Case(
      testDescription: "a check of two files", expected: .checked, inputs: 2, isLookExpected: false,
      set: { $0.isCheckOnly = true }),
    Case(
      testDescription: "a check within a window", expected: .checked, isInOrder: false,
      set: { ($0.isCheckOnly, $0.reorderWindow) = (true, 1) }),
    Case(testDescription: "no input", expected: .sorted, inputs: 0, isLookExpected: false),
    Case(testDescription: "two files in order", expected: .merged, inputs: 2),
    Case(testDescription: "two files, one out of order", expected: .sorted, inputs: 2, isInOrder: false),
    Case(
      testDescription: "too many files in order", expected: .sorted, inputs: 300, isLookExpected: false,
      fitsSideBySide: false),
    Case(
      testDescription: "two files without duplicates", expected: .sorted, inputs: 2, isLookExpected: false,
      set: { $0.dropsDuplicates = true }),
    Case(
      testDescription: "another format", expected: .sorted, isLookExpected: false,
      set: { $0.inputFormat = .json }),
    Case(
      testDescription: "keep going, in order", expected: .merged, set: { $0.keepsGoing = true }),
    Case(
      testDescription: "no duplicates", expected: .sorted, isLookExpected: false,
      set: { $0.dropsDuplicates = true }),
    Case(
      testDescription: "a selection", expected: .merged,
      set: { $0.selection.minimumLevel = .error }),
    Case(
      testDescription: "the journal", expected: .sorted, isLookExpected: false,
      set: { $0.journal = JournalOptions() }),
    Case(
      testDescription: "a followed file", expected: .followed, isLookExpected: false,
      set: { $0.follows = true }),
    Case(
      testDescription: "the followed journal", expected: .followed, isLookExpected: false,
      set: { ($0.follows, $0.journal) = (true, JournalOptions()) }),
    Case(
      testDescription: "a followed file within a window", expected: .followed, isLookExpected: false,
      set: { ($0.follows, $0.reorderWindow) = (true, 1) }),
    Case(
      testDescription: "a file in order within a window", expected: .inOrder, set: { $0.reorderWindow = 1 }),
    Case(
      testDescription: "a file out of order within a window", expected: .windowed, isInOrder: false,
      set: { $0.reorderWindow = 1 }),
    Case(
      testDescription: "two files within a window", expected: .windowed, inputs: 2, isLookExpected: false,
      set: { $0.reorderWindow = 0 }),
    Case(
      testDescription: "too many files for a window", expected: .sorted, inputs: 300, isLookExpected: false,
      fitsSideBySide: false, set: { $0.reorderWindow = 1 }),
    Case(
      testDescription: "the journal within a window", expected: .windowed, isLookExpected: false,
      set: { ($0.journal, $0.reorderWindow) = (JournalOptions(), 1) }),
  ]

  @Test(arguments: cases)
  func planDependsOnOptionsAndInputs(_ example: Case) throws {
    var options = RunOptions()
    example.set(&options)
    let inputs = (0..<example.inputs).map { InputPath(path: "/input/\($0)") }
    var looks = 0
    let plan = try Plan.decide(
      options, inputs,
      fileInOrder: { (input) throws(SystemCallError) in
        #expect(inputs.contains(input))
        looks += 1
        let file = try FileDescriptor.open("/dev/null", O_RDONLY)
        return example.isInOrder
          ? SortedFile(file: RenderSource.File(file, name: "f", input: 0), segments: []) : nil
      },
      canReadSideBySide: { items in
        #expect(items == inputs)
        return example.fitsSideBySide
      })
    #expect(looks == (!example.isLookExpected ? 0 : example.isInOrder ? example.inputs : 1))
    #expect(way(plan) == example.expected)
  }

  private func way(_ plan: Plan) -> Way {
    switch plan {
    case .inOrder: .inOrder
    case .followed: .followed
    case .windowed: .windowed
    case .merged: .merged
    case .sorted: .sorted
    case .checked: .checked
    }
  }

  @Test func lookThatFailsEndsTheDecision() {
    #expect(throws: SystemCallError.self) {
      _ = try Plan.decide(
        RunOptions(), [InputPath(path: "/f")],
        fileInOrder: { (_) throws(SystemCallError) -> SortedFile? in
          throw SystemCallError("read", "/f", code: EIO)
        }, canReadSideBySide: { _ in true })
    }
  }
}
