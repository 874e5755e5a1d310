import Foundation
import TestSupport
import Testing

/// The benchmark of deliveries on small inputs: that all records reach its sinks, and that it notices when they do not.
@Suite(.ownThreads) struct BenchmarkDeliveryTests {
  @Test func deliveriesAreCountedAndMemoryIsMeasured() throws {
    let folder = try TemporaryFolder()
    let raw = folder.url.appendingPathComponent("raw.json")
    let run = try Tool.run(
      Repository.path("Tests/Benchmarks/run-bench"),
      ["--quick", "--only", "delivery", "--output", raw.path, Tool.path])
    #expect(run.status == 0, "\(run.errorText)")
    let rounds = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: raw)) as? [String: Any])
    #expect((rounds["skipped"] as? [String: String])?.isEmpty == true, "\(run.errorText)")
    let series = try #require(rounds["series"] as? [String: [String: Any]])
    for name in ["delivery: ndjson", "delivery: fluentd", "delivery: otlp, --no-redact"] {
      #expect((series[name]?["values"] as? [Double])?.count == 2, "\(name)")
    }
    #expect(run.text.contains("| memory of otlp, its receiver away, MiB |"), "\(run.text)")
  }

  /// One message of two records whose chunk says three.
  @Test func sinkSaysWhatIsWrongWithAChunk() throws {
    let script = """
      import json, socket, subprocess, sys
      sink = subprocess.Popen([sys.executable, sys.argv[1], "forward"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
      port = int(sink.stdout.readline().split()[1])
      body = b"".join(b"\\x92\\x01\\x81\\xabkata_cursor" + bytes([0xa0 + 5]) + b"f:%d:7" % line for line in (1, 3))
      with socket.create_connection(("127.0.0.1", port)) as connection:
          options = b"\\x82\\xa5chunk\\xa2id\\xa4size\\x03"
          for _ in range(2):
              connection.sendall(b"\\x93\\xa1t\\xc4" + bytes([len(body)]) + body + options)
              assert connection.recv(100) == b"\\x81\\xa3ack\\xa2id"
      print(sink.communicate(b"")[0].decode())
      """
    let run = try Tool.run(
      "/usr/bin/env", ["python3", "-c", script, Repository.path("Tests/Benchmarks/counting-sink")])
    #expect(run.status == 0, "\(run.errorText)")
    #expect(run.text.contains("\"records\": 4, \"chunks\": 1"), "\(run.text)")
    for words in ["came twice", "has 2 records and says 3", "lines 1 to 3 of 2 records come behind line 0"] {
      #expect(run.text.contains(words), "\(run.text)")
    }
  }
}
