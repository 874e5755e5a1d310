import CommandLine
import System
import Testing

@testable import LogParser

@Suite("Configuration of a shipper") struct ShipConfigurationTests {
  @Test("A minimal file has the documented defaults") func minimal() throws {
    let configuration = try ShipConfiguration("[receiver]\nendpoint = tcp://h:24224\n", path: "c")
    #expect(configuration.endpoints == ["tcp://h:24224"])
    #expect(configuration.readsJournal && configuration.paths.isEmpty && configuration.redacts)
    #expect(configuration.identifiers == ["kata", "containerd", "crio", "kubelet"])
    #expect(configuration.statusAddress == SocketAddress(host: "127.0.0.1", port: 9465))
  }

  @Test("Every key is taken") func everyKey() throws {
    let text = """
      [receiver]
      endpoint = tcp://a:24224, unix:///run/b
      endpoint = http://c:4318
      tag = node
      shared-key-file = /etc/key
      user = u
      password-file = /etc/password
      header-file = /etc/headers
      gzip = yes
      acknowledge = no
      ack-timeout = 5s
      redact = no
      [journal]
      read = no
      identifier = kata
      identifier = crio
      unit = kubelet
      directory = /var/log/journal
      [files]
      path = /run/vc/vm/*/console.log
      max-files = 8
      max-record-size = 64K
      [limits]
      sandbox-records = 7
      sandbox-bytes = 8K
      sandbox-burst = 9
      [service]
      state-directory = /var/lib/x
      status-address = off
      log-level = debug
      stop-timeout = 250ms
      """
    let configuration = try ShipConfiguration(text, path: "c")
    #expect(configuration.endpoints == ["tcp://a:24224", "unix:///run/b", "http://c:4318"])
    #expect(configuration.identifiers == ["kata", "crio"])
    #expect(configuration.acknowledgementTimeout == 5000 && configuration.stopTimeout == 250)
    #expect(configuration.quota.recordsPerSecond == 7 && configuration.quota.bytesPerSecond == 8192)
    #expect(configuration.statusAddress == nil && configuration.recordLimit == 65536)
    #expect(!configuration.waitsForAcknowledgement && !configuration.redacts && configuration.compresses)
    // The test above fails when a key is added and not tried here.
    let keys = text.split(separator: "\n").compactMap { $0.split(separator: " = ").first }.filter {
      !$0.hasPrefix("[")
    }
    #expect(Set(keys.map(String.init)) == Set(ShipKey.all.map(\.name)))
  }

  @Test(
    "What is wrong is named with its line and the remedy",
    arguments: [
      ("[receiver]\nendpont = x\n", "c:2: unknown key \"endpont\" in [receiver]; the keys are endpoint,"),
      ("endpoint = x\n", "c:1: \"endpoint\" is under no heading; the headings are [receiver]"),
      ("[recever]\nendpoint = x\n", "c:2: \"endpoint\" is under the heading [recever]"),
      ("[receiver]\ntag = a\ntag = b\n", "c:3: tag is already set"),
      ("[receiver]\ngzip = maybe\n", "c:2: gzip: \"maybe\" is not yes or no"),
      ("[receiver]\nshared-key-file = key\n", "c:2: shared-key-file: \"key\" is not an absolute path"),
      ("[files]\nmax-files = 0\n", "c:2: max-files: \"0\" is not a number from 1 to 4096"),
      ("[service]\nstatus-address = here\n", "c:2: status-address: \"here\" is not an address"),
      ("[journal]\nread = yes\n", "c: no receiver is configured"),
      ("[receiver]\nendpoint = tcp://h:1\n[journal]\nread = no\n", "c: no input is configured"),
      ("[receiver]\nendpoint = tcp://h:1\npassword-file = /p\n", "c: password-file is set without user"),
    ]) func refused(_ text: String, _ message: String) throws
  {
    let error = #expect(throws: UsageError.self) { try ShipConfiguration(text, path: "c") }
    #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
  }
}
