import Bytes
import Testing

@testable import LogParser

/// Whatever is put into a record beside its own fields, none of them is lost: cases that fuzzing has found.
struct RepeatedFieldTests {
  /// The record of `line`, which is taken for text that `wrapper` carries.
  private func fields(_ line: String, host: String = "") throws -> [String: String] {
    var rules = ReadingRules()
    rules.isLenient = true
    rules.allowsMissingFields = true
    var record = Record()
    var wrapper = Wrapper(record.arena.copy(line))
    wrapper.time = Timestamp(seconds: 1_772_755_200)
    wrapper.host = record.arena.copy(host)
    let text = TextRecord(rules: rules, reference: Timestamp(seconds: 1_772_755_200))
    _ = try text.read(wrapper, into: &record)
    // Fields may have the same names.
    var found = ["=msg": record.message.string, "=level": record.level.string, "=name": record.name.string]
    for index in 0..<record.fields.count {
      found[record.fields[index].key.string] = record.fields[index].value.string
    }
    return found
  }

  @Test func aSecondMessageBesideThatOfKata1sAgentStays() throws {
    let found = try fields(
      "level=info msg=time=\"2026-03-05T05:01:54.3Z\" msg=\"open \"a\": no\" error=b source=agent")
    #expect(
      found["msg"] == "open \"a\": no" && found["error"] == "b" && found["=level"] == "info", "\(found)")
  }

  @Test func theCarriersFieldsStayBesideTheAgentsRecord() throws {
    let found = try fields(
      #"time="2026-03-05T05:01:54.3Z" level=debug msg="reading guest console" ID=x extra=y count=1 console-protocol=unix console-url="unix:///run/vc/vm/x/console.sock" source=virtcontainers subsystem=sandbox vmconsole="{\"msg\":\"hello\",\"level\":\"INFO\",\"ts\":\"2026-03-05T05:01:54.2Z\",\"pid\":\"7\",\"source\":\"agent\",\"name\":\"kata-agent\",\"count\":\"2\"}""#
    )
    #expect(found["=msg"] == "hello" && found["=name"] == "kata-agent", "\(found)")
    #expect(found["ID"] == "x" && found["extra"] == "y", "\(found)")
    #expect(found["count"] == "2" && found["count.1"] == "1", "\(found)")
    for key in ["vmconsole", "console-url", "console-protocol", "subsystem"] { #expect(found[key] == nil) }
  }

  /// An object that was cut and joined with the next line has a member twice.
  @Test func aRepeatedMemberStays() throws {
    let found = try fields(
      #"{"level":"INFO","level":"DEBG","msg":"a","msg":"b","name":"c","name":"d","x":"1","x":"2","x":"2","pid":"3","pid":"4","ts":"2026-03-05T05:01:54.2Z"}"#
    )
    #expect(found["=name"] == "d" && found["name"] == "c", "\(found)")
    #expect(found["x"] == "2" && found["x.1"] == "1" && found["x.2"] == nil, "\(found)")
    for value in ["INFO", "a", "b", "3"] { #expect(found.values.contains(value), "\(value) in \(found)") }
  }

  @Test func aFieldOfTheWrappersNameStays() throws {
    let found = try fields("time=\"2026-03-05T05:01:54.3Z\" level=info msg=m host=a", host: "node")
    #expect(found["host"] == "node" && found["host.1"] == "a", "\(found)")
    #expect(try fields("level=info msg=m host=node", host: "node")["host.1"] == nil)
  }
}
