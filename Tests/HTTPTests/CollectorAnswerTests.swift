import Testing

@testable import HTTP

@Suite struct CollectorAnswerTests {
  /// Bodies that come with 200, and whether they are what a collector says.
  @Test(arguments: [
    ("", true), ("{}", true), ("OK", true), ("ok\n", true), ("<", true), ("\n", true),
    ("\u{a}\u{2}\u{8}\u{3}", true),
    ("<!DOCTYPE html><title>Sign in</title>", false), ("\r\n  <html>", false), ("<HTML>", false),
    ("<?xml version=\"1.0\"?>", false),
    // A partial success of 60 bytes: the tag, the length, three records rejected, and why.
    ("\n<\u{8}\u{3}\u{12}\u{38}" + String(repeating: "<html>..", count: 7), true),
  ])
  func pagesAreNoAnswers(_ body: String, _ isAccepted: Bool) {
    let answer = HTTPClient.Answer(status: 200, body: Array(body.utf8))
    #expect(CollectorAnswer(answer) == (isAccepted ? .accepted : .held))
    #expect(CollectorAnswer(HTTPClient.Answer(status: 400, body: Array(body.utf8))) == .refused)
  }
}
