import Bytes

/// The keys that have a property in ``Record``.
enum KnownKey: UInt16 {
  case time, level, msg, name, pid, source, container, sandbox, request

  /// Finds a key by its length and its bytes as one little-endian number.
  @inline(__always)
  init?(_ key: ByteSlice) {
    let raw = key.leadingWord
    switch key.count {
    case 3:
      switch raw & 0xff_ffff {
      case 0x67736d: self = .msg
      case 0x646970: self = .pid
      case 0x716572: self = .request
      default: return nil
      }
    case 4:
      switch raw & 0xffff_ffff {
      case 0x656d_6974: self = .time
      case 0x656d_616e: self = .name
      default: return nil
      }
    case 5:
      guard raw & 0xff_ffff_ffff == 0x6c_6576_656c else { return nil }
      self = .level
    case 6:
      guard raw & 0xffff_ffff_ffff == 0x6563_7275_6f73 else { return nil }
      self = .source
    case 7:
      guard raw & 0xff_ffff_ffff_ffff == 0x78_6f62_646e_6173 else { return nil }
      self = .sandbox
    case 9:
      guard raw == 0x656e_6961_746e_6f63, key[8] == 0x72 else { return nil }
      self = .container
    default: return nil
    }
  }
}

extension ByteSlice {
  /// Whether the value of `cid` is a context of vsock, which virtcontainers logs under that key, too: a number.
  var isVsockContext: Bool { count <= 10 && bytes.allSatisfy { $0.isDigit } }
}
