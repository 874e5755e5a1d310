import Bytes

/// The runtime's names of levels, as constants that records can borrow.
enum LevelName {
  @inline(__always) static var critical: ByteSlice {
    ByteSlice(padded: "critical                                                                ", count: 8)
  }
  @inline(__always) static var error: ByteSlice {
    ByteSlice(padded: "error                                                                ", count: 5)
  }
  @inline(__always) static var warning: ByteSlice {
    ByteSlice(padded: "warning                                                                ", count: 7)
  }
  @inline(__always) static var info: ByteSlice {
    ByteSlice(padded: "info                                                                ", count: 4)
  }
  @inline(__always) static var debug: ByteSlice {
    ByteSlice(padded: "debug                                                                ", count: 5)
  }
  @inline(__always) static var trace: ByteSlice {
    ByteSlice(padded: "trace                                                                ", count: 5)
  }
  @inline(__always) static var fatal: ByteSlice {
    ByteSlice(padded: "fatal                                                                ", count: 5)
  }
  @inline(__always) static var panic: ByteSlice {
    ByteSlice(padded: "panic                                                                ", count: 5)
  }
}
