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
          "tcp://HOST:PORT (default port 24224) or unix:///PATH for the Forward protocol of Fluentd and Fluent Bit; http://HOST:PORT or https://HOST:PORT for a collector of OTLP logs (protobuf; /v1/logs is added to a URL without a path). Each record is delivered at least once: what is not acknowledged is sent again, indefinitely, with growing pauses. With --cursor-file, a journal position is saved only once everything before it is acknowledged. If given several times, the endpoints are in order of preference: the first that can be reached is used. If a Unix socket acknowledges nothing, such as that of Fluentd's in_unix, the run ends after --ack-timeout."
      ) { (settings, text) throws(UsageError) in
        try settings.delivery.add(endpoint: text)
      },
      Flag(
        "tag", nil, .text("TAG"), in: section, "Send records with this tag",
        detail: "Fluentd and Fluent Bit route records by their tag. The default is kata-containers."
      ) { (settings, text) throws(UsageError) in
        guard !text.isEmpty, text.utf8.count <= 256 else {
          throw UsageError("\"\(text)\" is not a tag: a tag has 1 to 256 bytes")
        }
        settings.noteDelivery("--tag")
        settings.delivery.forward.tag = text
      },
      Flag(
        "shared-key-file", nil, .file("FILE"), in: section, "Authenticate with the shared key in this file",
        detail:
          "The shared_key of the forward input of Fluentd or Fluent Bit. The receiver must prove that it knows the key too. Other users must not have access to the file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--shared-key-file")
        settings.delivery.forward.sharedKey = try DeliveryOptions.secret(text)
      },
      Flag(
        "user", nil, .text("NAME"), in: section, "User name, if the receiver requires one",
        detail: "Needs --password-file and --shared-key-file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--user")
        settings.delivery.forward.user = text
      },
      Flag(
        "password-file", nil, .file("FILE"), in: section, "Read the user's password from this file",
        detail: "Other users must not have access to the file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--password-file")
        settings.delivery.forward.password = try DeliveryOptions.secret(text)
      },
      Flag("gzip", in: section, "Compress what is sent with gzip", detail: "Requires zlib.") {
        (settings, text) throws(UsageError) in
        settings.noteDelivery("--gzip")
        settings.delivery.forward.compresses = text == "true"
      },
      Flag(
        "otlp-header", nil, .text("NAME=VALUE"), in: section, repeatable: true,
        "Add a header to each OTLP request",
        detail: "Other users can see it in the list of processes: put tokens in --otlp-header-file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--otlp-header")
        settings.delivery.otlp.headers.append(try DeliveryOptions.header(text, separator: "="))
      },
      Flag(
        "otlp-header-file", nil, .file("FILE"), in: section,
        "Add the headers in this file to each OTLP request",
        detail:
          "One header per line, such as Authorization: Bearer TOKEN. Other users must not have access to the file."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--otlp-header-file")
        try settings.delivery.addHeaders(ofFile: text)
      },
      Flag(
        "collector-ca-file", nil, .file("FILE"), in: section,
        "Trust these CA certificates for https instead of the system's", detail: "A file in PEM form."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--collector-ca-file")
        settings.delivery.otlp.authorities = text
      },
      Flag(
        "ack-timeout", nil, .text("TIME"), in: section, "Resend what is not acknowledged within this time",
        detail:
          "From 1s to 1h; the default is 30s. After SIGINT or SIGTERM, a run with --follow also waits this long for the last acknowledgements; a second signal ends the wait."
      ) { (settings, text) throws(UsageError) in
        let time = try FlagValue.duration(text)
        guard (1_000_000_000...3_600_000_000_000).contains(time) else {
          throw UsageError("\"\(text)\" is not a time from 1s to 1h")
        }
        settings.noteDelivery("--ack-timeout")
        settings.delivery.engine.acknowledgementTimeout = Int(time / 1_000_000)
      },
      Flag(
        "give-up-after", nil, .text("TIME"), in: section,
        "End the run when nothing was acknowledged for this long",
        detail:
          "Such as 10min, at most one day; the status is then 1. By default an unreachable receiver is retried indefinitely."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--give-up-after")
        settings.delivery.engine.patience = max(1, Int(try FlagValue.duration(text) / 1_000_000))
      },
      Flag(
        "chunk-size", nil, .text("SIZE"), in: section, "Send chunks of this size",
        detail:
          "From 16K to 4M; the default is 1M. Lower it for receivers that accept less at once, such as Fluent Bit with a smaller buffer_max_size: they get larger chunks in halves, and late."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--chunk-size")
        settings.delivery.engine.chunk.size = try FlagValue.size(text, 16 << 10...4 << 20)
      },
      Flag(
        "no-ack", in: section, "Do not wait for acknowledgements: deliver at most once",
        detail:
          "Records count as delivered once they are handed to the system, and are lost if the receiver never reads them. For receivers that acknowledge nothing."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--no-ack")
        settings.delivery.forward.wantsAcknowledgements = text != "true"
      },
      Flag(
        "set-aside", nil, .file("FILE"), in: section,
        "Keep records that the receiver does not accept in this file",
        detail:
          "One JSON object per line, with the reason and the record in Base64; at most 64 MiB, the older half in FILE.1. A record is set aside if it repeatedly failed when sent alone, while others were acknowledged. Without this option such a record ends the run."
      ) { (settings, text) throws(UsageError) in
        settings.noteDelivery("--set-aside")
        settings.delivery.setAsideFile = text
      },
    ]
  }

  /// Refuses contradictory options, and gives the run its delivery options.
  static func validateDelivery(_ settings: inout Settings) throws(UsageError) {
    guard settings.delivery.hasReceivers else {
      if let option = settings.usesDeliveryOption {
        throw UsageError("\(option) needs a receiver: give --endpoint as well")
      }
      return
    }
    let isOTLP = !settings.delivery.collectors.isEmpty
    if isOTLP, !settings.delivery.endpoints.isEmpty {
      throw UsageError(
        "the endpoints use two protocols: give only http:// and https:// URLs, or none of them")
    }
    let format = isOTLP ? OutputFormat.otlp : .fluentd
    if settings.hasFormat, settings.run.format != format {
      throw UsageError(
        "the endpoint needs --output-format \(format.rawValue), not \(settings.run.format.rawValue)")
    }
    if isOTLP { try validateOTLP(&settings) }
    if settings.run.outputFile != nil {
      throw UsageError("records are either delivered or written: give --endpoint or --output-file, not both")
    }
    if settings.run.isReport {
      throw UsageError("--summary and --explain have no records to deliver: leave out --endpoint")
    }
    let forward = settings.delivery.forward
    if !forward.user.isEmpty || !forward.password.isEmpty {
      guard !forward.user.isEmpty, !forward.password.isEmpty, forward.sharedKey != nil else {
        throw UsageError("a user needs --user, --password-file and --shared-key-file together")
      }
    }
    settings.run.format = format
    settings.run.delivery = settings.delivery
  }
}

extension LogParserFlags {
  /// Refuses options of the other protocol, and sets the limits of OTLP requests.
  private static func validateOTLP(_ settings: inout Settings) throws(UsageError) {
    let forward = settings.delivery.forward
    let isOther =
      forward.tag != ForwardOptions().tag || forward.sharedKey != nil || !forward.user.isEmpty
      || !forward.password.isEmpty || !forward.wantsAcknowledgements
    if isOther {
      throw UsageError(
        "--tag, --shared-key-file, --user, --password-file and --no-ack are for the Forward protocol, but the endpoint uses OTLP"
      )
    }
    settings.delivery.limitChunks()
  }
}

extension CommandSettings {
  mutating func noteDelivery(_ option: String) { usesDeliveryOption = usesDeliveryOption ?? option }
}
