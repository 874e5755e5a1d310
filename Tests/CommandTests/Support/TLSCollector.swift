import Foundation
import TestSupport

/// An HTTPS server by Python's library that keeps the requests' bodies in a file, one a line.
final class TLSCollector: @unchecked Sendable {
  private let process = Process()
  private let file: URL
  let port: UInt16

  init(in folder: TemporaryFolder) throws {
    file = folder.url.appendingPathComponent("requests")
    try Data().write(to: file)
    let code = """
      import http.server, ssl, sys
      class Handler(http.server.BaseHTTPRequestHandler):
          protocol_version = "HTTP/1.1"
          def do_POST(self):
              body = self.rfile.read(int(self.headers["Content-Length"]))
              open("requests", "ab").write(body + b"\\n")
              self.send_response(200)
              self.send_header("Content-Length", "0")
              self.end_headers()
          def log_message(self, *_): pass
      server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
      context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
      context.load_cert_chain("cert.pem", "key.pem")
      server.socket = context.wrap_socket(server.socket, server_side=True)
      print(server.server_port, flush=True)
      server.serve_forever()
      """
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", code]
    process.currentDirectoryURL = folder.url
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    port = UInt16(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    guard port > 0 else { throw TestFailure(description: "no HTTPS server: \(text)") }
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func names() throws -> [SpanName] { try OTLPLines.names(file.path) }
}
