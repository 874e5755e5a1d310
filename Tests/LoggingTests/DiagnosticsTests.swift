import Glibc
import Logging
import TestSupport
import Testing

/// What a command writes to standard error, each time in a process of its own.
struct DiagnosticsTests {
  private func text(_ result: ExitTest.Result?) throws -> String {
    String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
  }

  @Test func linesBeginWithTheProgramAndItsLevel() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let diagnostics = Diagnostics("tool")
      diagnostics.error("a")
      diagnostics.warning("b")
      diagnostics.debug("c")
      diagnostics.line("d")
    }
    #expect(try text(result) == "tool: error: a\ntool: warning: b\nd\n")
  }

  @Test func warningsAndDebugLinesAreSwitched() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let diagnostics = Diagnostics("tool")
      diagnostics.isQuiet = true
      diagnostics.isDebug = true
      diagnostics.error("a")
      diagnostics.warning("b")
      diagnostics.debug("c")
    }
    #expect(try text(result) == "tool: error: a\ntool: debug: c\n")
  }

  @Test func terminalIsNotControlledByAMessage() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      Diagnostics("tool").error("\u{1b}[2J\r\u{202e}x\ny")
    }
    let text = try text(result)
    #expect(text.hasPrefix("tool: error: ") && text.hasSuffix("\n"))
    #expect(text.filter(\.isNewline).count == 1)
    for scalar in text.unicodeScalars.dropLast() {
      #expect(scalar.value >= 0x20 && scalar != "\u{202e}" && scalar != "\u{7f}")
    }
  }

  @Test func progressIsNotShownInTheFirstSecondNorWithoutBeingAskedFor() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let diagnostics = Diagnostics("tool")
      diagnostics.progress("1 line")
      diagnostics.showsProgress = true
      diagnostics.progress("2 lines")
      diagnostics.endProgress()
      diagnostics.line("end")
    }
    #expect(try text(result) == "end\n")
  }

  @Test func progressIsTakenAwayBeforeALine() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let diagnostics = Diagnostics("tool")
      diagnostics.showsProgress = true
      // The first call starts the time of a second after which it is shown.
      var calls = 0
      while calls == 0 {
        diagnostics.progress(
          {
            calls += 1
            return "half"
          }())
        usleep(10_000)
      }
      diagnostics.line("end")
    }
    #expect(try text(result) == "\r\u{1b}[Ktool: half\r\u{1b}[Kend\n")
  }
}
