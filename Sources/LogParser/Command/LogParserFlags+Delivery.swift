import CommandLine
import Delivery
import System

extension LogParserFlags {
  private static var section: String { "Delivery (fluentd, otlp)" }

  /// Where records are delivered, and how.
  static var delivery: [Flag<Settings>] {
    [
      Flag(
        "endpoint", nil, .text("URL"), in: section, repeatable: true,
        "Deliver the records to this receiver instead of writing them",
        detail:
          "tcp://HOST:PORT (24224 unless given) or unix:///PATH, where Fluentd or Fluent Bit takes the Forward protocol; http://HOST:PORT or https://HOST:PORT, where a collector takes OTLP logs (/v1/logs is added to a URL without a path; protobuf). Each record is delivered at least once: what is not acknowledged is sent again, indefinitely, with growing pauses. With --cursor-file the place in the journal is saved behind what is acknowledged. Given several times, the endpoints are in order of preference: the first that can be reached is used. A Unix socket that acknowledges nothing, such as that of Fluentd's in_unix, ends the run when --ack-timeout has passed."
      ) { (settings, text) throws(UsageError) in
        try settings.delivery.add(endpoint: text)
      },
      Flag(
        "tag", nil, .text("TAG"), in: section, "Send records with this tag",
        detail: "By it Fluentd and Fluent Bit decide where records go. The default is kata-containers."
      ) { (settings, text) throws(UsageError) in
        guard !text.isEmpty, text.utf8.count <= 256 else {
          throw UsageError("\"\(text)\" is no tag: it has 1 to 256 bytes")
        }
        settings.noteDelivery("--tag")
        settings.delivery.forward.tag = text
      },
      Flag(
        "shared-key-file", nil, .file("FILE"), in: section, "Prove to know the key in this file",
        detail:
          "The shared_key of Fluentd's and Fluent Bit's forward input, which the receiver then must prove to know as well. Other users must not have access to the file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--shared-key-file")
        settings.delivery.forward.sharedKey = try DeliveryOptions.secret(text)
      },
      Flag(
        "user", nil, .text("NAME"), in: section, "Name of the user, where the receiver asks for one",
        detail: "With --password-file and --shared-key-file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--user")
        settings.delivery.forward.user = text
      },
      Flag(
        "password-file", nil, .file("FILE"), in: section, "Password of the user, in this file",
        detail: "Other users must not have access to it."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--password-file")
        settings.delivery.forward.password = try DeliveryOptions.secret(text)
      },
      Flag("gzip", in: section, "Compress what is sent", detail: "With zlib, which must be installed.") {
        (settings, text) throws(UsageError) in
        settings.noteDelivery("--gzip")
        settings.delivery.forward.compresses = text == "true"
      },
      Flag(
        "otlp-header", nil, .text("NAME=VALUE"), in: section, repeatable: true,
        "Add a header to each request of OTLP",
        detail: "Other users can see it in the list of processes: give a token by --otlp-header-file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--otlp-header")
        settings.delivery.otlp.headers.append(try DeliveryOptions.header(text, separator: "="))
      },
      Flag(
        "otlp-header-file", nil, .file("FILE"), in: section,
        "Add the headers in this file to each request of OTLP",
        detail:
          "One header a line, such as Authorization: Bearer TOKEN. Other users must not have access to the file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--otlp-header-file")
        try settings.delivery.addHeaders(ofFile: text)
      },
      Flag(
        "collector-ca-file", nil, .file("FILE"), in: section,
        "Trust these CA certificates for https, not the system's", detail: "A file in PEM form."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--collector-ca-file")
        settings.delivery.otlp.authorities = text
      },
      Flag(
        "ack-timeout", nil, .text("TIME"), in: section, "Send again what is not acknowledged in this time",
        detail:
          "From 1s to 1h; the default is 30s. After SIGINT and SIGTERM a followed run also waits this long for the last acknowledgements, which another signal ends."
      ) { (settings, text) throws(UsageError) in
        let time = try FlagValue.duration(text)
        guard (1_000_000_000...3_600_000_000_000).contains(time) else {
          throw UsageError("\"\(text)\" is not a time from 1s to 1h")
        }
        settings.noteDelivery("--ack-timeout")
        settings.delivery.engine.acknowledgementTimeout = Int(time / 1_000_000)
      },
      Flag(
        "give-up-after", nil, .text("TIME"), in: section, "End when nothing was acknowledged for this time",
        detail:
          "Such as 10min, of a day at most; the status is then 1. By default an unreachable receiver is tried again indefinitely."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--give-up-after")
        settings.delivery.engine.patience = max(1, Int(try FlagValue.duration(text) / 1_000_000))
      },
      Flag(
        "chunk-size", nil, .text("SIZE"), in: section, "Send chunks of this size",
        detail:
          "From 16K to 4M; the default is 1M. For receivers that take less at once, such as a Fluent Bit with a smaller buffer_max_size: a chunk that is too large for it arrives in halves, but late."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--chunk-size")
        settings.delivery.engine.chunk.size = try FlagValue.size(text, 16 << 10...4 << 20)
      },
      Flag(
        "no-ack", in: section, "Ask for no acknowledgements: deliver at most once",
        detail:
          "Records that the system has taken count as delivered, and are lost if the receiver never reads them. For receivers that acknowledge nothing."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--no-ack")
        settings.delivery.forward.wantsAcknowledgements = text != "true"
      },
      Flag(
        "set-aside", nil, .file("FILE"), in: section, "Keep records here that the receiver does not take",
        detail:
          "One JSON object a line, with the reason and the record in Base64; 64 MiB at most, the older half of which is FILE.1. A record is set aside when it was not acknowledged by itself, again and again, while others were. Without this option such a record ends the run."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--set-aside")
        settings.delivery.setAsideFile = text
      },
    ]
  }

  /// Refuses what makes no sense together, and gives the run what it delivers by.
  static func validateDelivery(_ settings: inout Settings) throws(UsageError) {
    guard settings.delivery.hasReceivers else {
      if let option = settings.usesDeliveryOption {
        throw UsageError("\(option) is about a receiver: give --endpoint as well")
      }
      return
    }
    let isOTLP = !settings.delivery.collectors.isEmpty
    if isOTLP, !settings.delivery.endpoints.isEmpty {
      throw UsageError("the endpoints are of two protocols: give only http:// and https://, or none of them")
    }
    let format = isOTLP ? OutputFormat.otlp : .fluentd
    if settings.hasFormat, settings.run.format != format {
      throw UsageError(
        "the endpoint is for --output-format \(format.rawValue), not for \(settings.run.format.rawValue)")
    }
    if isOTLP { try validateOTLP(&settings) }
    if settings.run.outputFile != nil {
      throw UsageError("records are delivered or written: give --endpoint or --output-file")
    }
    if settings.run.isReport {
      throw UsageError("--endpoint delivers records, and --summary and --explain give none: leave it out")
    }
    let forward = settings.delivery.forward
    if !forward.user.isEmpty || !forward.password.isEmpty {
      guard !forward.user.isEmpty, !forward.password.isEmpty, forward.sharedKey != nil else {
        throw UsageError("a user is proved with --user, --password-file and --shared-key-file together")
      }
    }
    settings.run.format = format
    settings.run.delivery = settings.delivery
  }
}

extension LogParserFlags {
  /// Refuses options of the other protocol, and sets the limits of OTLP's requests.
  private static func validateOTLP(_ settings: inout Settings) throws(UsageError) {
    let forward = settings.delivery.forward
    let isOther =
      forward.tag != ForwardOptions().tag || forward.sharedKey != nil || !forward.user.isEmpty
      || !forward.password.isEmpty || !forward.wantsAcknowledgements
    if isOther {
      throw UsageError(
        "--tag, --shared-key-file, --user, --password-file and --no-ack are of the Forward protocol, and the endpoint takes OTLP"
      )
    }
    settings.delivery.limitChunks()
  }
}

extension CommandSettings {
  mutating func noteDelivery(_ option: String) { usesDeliveryOption = usesDeliveryOption ?? option }
}
