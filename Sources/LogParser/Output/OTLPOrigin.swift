import Bytes

/// The part of a node that a record is from, as in OTLP's resources.
enum OTLPOrigin {
  /// A program of the host: containerd, the kubelet, the host's kernel.
  case host
  /// The Kata runtime of one sandbox.
  case shim
  /// The agent, the kernel or another program of the guest.
  case guest

  @inline(__always)
  init(_ record: borrowing Record) {
    if Self.isGuest(record.source, record.name) {
      self = .guest
    } else {
      self = Self.isShim(record.name) ? .shim : .host
    }
  }

  var name: StaticString {
    switch self {
    case .host: "host"
    case .shim: "shim"
    case .guest: "guest"
    }
  }

  private static func isGuest(_ source: ByteSlice, _ name: ByteSlice) -> Bool {
    if source == "vmconsole" { return true }
    return name.hasPrefix("kata-") ? name == "kata-agent" : source == "agent"
  }

  private static func isShim(_ name: ByteSlice) -> Bool {
    switch name.count {
    case 4: name == "kata"
    case 12: name == "kata-runtime"
    case 18: name == "containerd-shim-v2"
    case 23: name == "containerd-shim-kata-v2" || name == "containerd-kata-shim-v2"
    default: false
    }
  }
}

/// OTLP's severity numbers: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
enum OTLPSeverity {
  /// The number for a level as loggers spell it; 0 (unspecified) for any other word.
  @inline(__always)
  static func number(_ level: ByteSlice) -> UInt8 {
    guard level.count >= 3, level.count <= 11 else { return 0 }
    // The first four letters distinguish the words.
    var word: UInt32 = 0
    for index in 0..<min(4, level.count) { word = word << 8 | UInt32(level[index] | 0x20) }
    switch word {
    case Self.word("trac"), Self.word("trce"): return 1
    case Self.word("debu"), Self.word("debg"), Self.word("dbg"): return 5
    case Self.word("info"), Self.word("inf"): return 9
    case Self.word("noti"): return 10
    case Self.word("warn"), Self.word("wrn"): return 13
    case Self.word("erro"), Self.word("err"): return 17
    case Self.word("aler"): return 19
    case Self.word("crit"), Self.word("fata"), Self.word("emer"): return 21
    case Self.word("pani"): return 24
    default: return 0
    }
  }

  @inline(__always)
  private static func word(_ text: StaticString) -> UInt32 {
    text.withUTF8Buffer { bytes in
      var word: UInt32 = 0
      for byte in bytes { word = word << 8 | UInt32(byte) }
      return word
    }
  }
}
