/// Jaeger's Thrift over HTTP to a collector: the batches that the Kata runtimes send.
final class JaegerHTTPExporter: SpanExporter {
  private let context: ExporterContext
  private let client: HTTPClient
  private var batches: JaegerBatches

  init(_ context: ExporterContext, _ options: HTTPClient.Options) throws(ExportFailure) {
    self.context = context
    batches = JaegerBatches(context, .binary, limit: 4 << 20)
    do throws(HTTPClient.Failure) { client = try HTTPClient(options, deadline: context.deadline) } catch {
      throw ExportFailure(error.reason)
    }
  }

  func export(_ batch: SpoolBatch) throws(ExportFailure) {
    try batches.send(batch) { (message, count) throws(ExportFailure) in
      let answer: HTTPClient.Answer
      do throws(HTTPClient.Failure) {
        answer = try self.client.post(message, type: "application/x-thrift")
      } catch {
        throw ExportFailure(error.reason)
      }
      switch answer.status {
      case 200..<300: return
      case 400, 401, 403, 404, 405, 413, 415:
        self.context.metrics.add(.refused, self.context.name, count)
        self.context.log.limited(
          .error, by: self.context.name, "the collector refused spans for good",
          ["exporter": self.context.name, "status": String(answer.status), "count": String(count)])
      default:
        throw ExportFailure(
          "the collector answered \(answer.status)", retryAfter: answer.retryAfter.map { $0 * 1000 })
      }
    }
  }
}
