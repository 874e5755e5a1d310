import HTTP

extension Metrics: HTTPServerMetrics {
  package func countConnection() { add(.connections, "http") }
  package func countClosed(_ reason: String) { add(.closed, reason) }
  package func changeOpenConnections(by count: Int) { change(.connections, "http", by: count) }
  package func countRequest(status: Int) { add(.requests, String(status)) }
}
