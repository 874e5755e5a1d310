import System

/// One HTTP server's listeners on one thread.
package final class HTTPService: LoopService {
  private let server: HTTPServer

  package init(_ server: HTTPServer) { self.server = server }

  package var failure: SystemCallError? { nil }
  package func beginStop() { server.stopListening() }
  package var isStopped: Bool { !server.isBusy }
  package func finish() {}
}
