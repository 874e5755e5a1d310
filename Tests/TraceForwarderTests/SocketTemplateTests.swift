import Testing

@testable import TraceForwarder

/// Where a template of socket paths finds sandboxes, and which templates are refused.
struct SocketTemplateTests {
  @Test(arguments: [
    ("/run/vc/vm/{ID}/clh.sock", "/run/vc/vm", "a", "a", "/run/vc/vm/a/clh.sock_7"),
    ("/run/fc/{ID}/root/x/y.sock", "/run/fc", "a", "a", "/run/fc/a/root/x/y.sock_7"),
    ("//run//fc/vm-{ID}.d/y", "/run/fc", "vm-a-1.d", "a-1", "/run/fc/vm-a-1.d/y_7"),
    ("/{ID}.sock", "/", "x.sock", "x", "/x.sock_7"),
  ])
  func finds(_ text: String, _ directory: String, _ entry: String, _ id: String, _ path: String) throws {
    let template = try #require(SocketTemplate(text))
    #expect(template.directory == directory)
    #expect(template.sandbox(entry: entry, port: 7) == id)
    #expect(template.path(sandbox: id, port: 7) == path)
    #expect(SocketTemplate(template.description) == template)
  }

  @Test(arguments: [
    "", "run/{ID}/x", "/run/x", "/run/{ID}/{ID}", "/run/{ID}/../x", "/run/./{ID}/x", "/../{ID}",
  ])
  func refuses(_ text: String) { #expect(SocketTemplate(text) == nil) }

  @Test(arguments: [".", "..", ".a", "a b", "a/b", "ä", String(repeating: "a", count: 129), ""])
  func hasNoSandbox(_ entry: String) throws {
    #expect(try #require(SocketTemplate("/run/{ID}/x")).sandbox(entry: entry, port: 7) == nil)
  }

  @Test func ownSocketsAreNotSandboxes() throws {
    #expect(try #require(SocketTemplate("/run/{ID}")).sandbox(entry: "a_7", port: 7) == nil)
    #expect(try #require(SocketTemplate("/run/{ID}")).sandbox(entry: "a_8", port: 7) == "a_8")
    #expect(try #require(SocketTemplate("/run/{ID}/s")).sandbox(entry: "a_7", port: 7) == "a_7")
  }
}
