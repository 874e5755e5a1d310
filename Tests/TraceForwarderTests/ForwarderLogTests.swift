import Testing

@testable import TraceForwarder

@Suite struct ForwarderLogTests {
  @Test(arguments: [
    ("plain text, ä, 日本語", "plain text, ä, 日本語"), ("tab\tline\n", "tab\tline\n"),
    ("\u{1b}[2J", "\u{fffd}[2J"),
    ("\u{9b}2J\u{7f}\0", "\u{fffd}2J\u{fffd}\u{fffd}"),
    ("\u{202e}\u{feff}\u{e000}", "\u{fffd}\u{fffd}\u{fffd}"),
    ("%!d(MISSING) 100%", "% !d(MISSING) 100%"), ("", ""),
  ])
  func whatATerminalObeysIsNotWritten(_ text: String, _ written: String) {
    #expect(Array(ForwarderLog.printable(text).utf8) == Array(written.utf8))
  }
}
