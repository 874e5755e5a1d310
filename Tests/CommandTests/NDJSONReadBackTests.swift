import Foundation
import TestSupport
import Testing

/// What this tool writes as NDJSON is read by it, and every name of an object is there once.
@Suite(.ownThreads) struct NDJSONReadBackTests {
  private static let head = #"time="2026-03-05T05:01:54.5Z" level=info name=n pid=1 source=s "#

  @Test func recordWithoutAMessageIsReadBack() throws {
    let first = try Tool.run(["--output-format", "ndjson", "-"], input: Data((Self.head + "k=v\n").utf8))
    #expect(first.status == 0 && first.text.contains(#""msg":"","#), "\(first.text)\(first.errorText)")
    let again = try Tool.run(
      ["--output-format", "ndjson", "--fields", "time,level,msg,name,pid,source,k", "-"], input: first.output)
    #expect(
      again.text
        == #"{"time":"2026-03-05T05:01:54.5Z","level":"info","name":"n","pid":1,"source":"s","k":"v"}"#
        + "\n",
      "\(again.text)\(again.errorText)")
  }

  /// `message` is a field like others beside an empty `msg`, in whatever order.
  @Test(arguments: [#""msg":"","message":"other""#, #""message":"other","msg":"""#])
  func fieldNamedMessageStaysOne(_ members: String) throws {
    let line =
      #"{"time":"2026-03-05T05:01:54.5Z","level":"info","name":"n","pid":1,"source":"s",\#(members)}"#
    let result = try Tool.run(["--output-format", "ndjson", "-"], input: Data((line + "\n").utf8))
    #expect(
      result.text.contains(#""msg":"","#) && result.text.contains(#""message":"other""#), "\(result.text)")
  }

  @Test func noNameIsThereTwice() throws {
    let fields = "level=a data.level=b data.data.level=c data.level.x=d data.k=e k=f count=g data.data.pid=h"
    // A second `level` is one of the record's own: the agent's object has them as fields.
    let object = fields.split(separator: " ").map { pair in
      let parts = pair.split(separator: "=")
      return #"\"\#(parts[0])\":\"\#(parts[1])\""#
    }.joined(separator: ",")
    let line =
      #"time="2026-03-05T05:01:54.5Z" level=info msg="reading guest console" name=n pid=1 source=virtcontainers vmconsole="{\"msg\":\"m\",\"#
      + object.dropFirst() + "}\"\n"
    let result = try Tool.run(["--output-format", "ndjson", "-"], input: Data(line.utf8))
    let names = try #require(
      result.text.split(separator: ",").map {
        $0.split(separator: ":")[0].trimmingCharacters(in: ["{", "\""])
      }
        as [String]?)
    #expect(names.count == Set(names).count && result.status == 0, "\(result.text)\(result.errorText)")
    for member in [
      #""data.level":"a""#, #""data.data.level":"b""#, #""data.data.data.level":"c""#, #""data.level.x":"d""#,
      #""data.k":"e""#, #""k":"f""#, #""data.count":"g""#, #""data.data.pid":"h""#,
    ] {
      #expect(result.text.contains(member), "\(member): \(result.text)")
    }
    // They are chosen by the names that they are written with.
    let chosen = try Tool.run(
      ["--output-format", "ndjson", "--fields", "data.level,data.data.level,data.k,data.data.pid", "-"],
      input: Data(line.utf8))
    #expect(
      chosen.text == #"{"data.level":"a","data.data.level":"b","data.k":"e","data.data.pid":"h"}"# + "\n",
      "\(chosen.text)\(chosen.errorText)")
  }
}
