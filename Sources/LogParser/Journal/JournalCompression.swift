import System

/// Decompresses fields of a journal file with the libraries that libsystemd itself uses.
enum JournalCompression {
  private typealias Size = @convention(c) (UnsafeRawPointer, Int) -> UInt64
  private typealias Decompress = @convention(c) (UnsafeMutableRawPointer, Int, UnsafeRawPointer, Int) -> Int
  private typealias DecompressBlock =
    @convention(c) (UnsafeRawPointer, UnsafeMutableRawPointer, Int32, Int32)
    -> Int32

  /// The maximum size of a field.
  private static let limit = 64 << 20

  enum Result {
    case bytes([UInt8])
    case damaged
    /// The library is not installed, or none is known.
    case unavailable
  }

  /// The decompressed bytes of a payload.
  ///
  /// - Parameter flags: the object's: 1 for xz, 2 for lz4, 4 for zstd. Fields in xz are left out: releases since 2019
  ///   do not write it if they have another one.
  static func decompress(_ payload: [UInt8], flags: UInt8) -> Result {
    switch flags {
    case 4:
      guard let zstd else { return .unavailable }
      return zstd.decompress(payload).map { .bytes($0) } ?? .damaged
    case 2:
      guard let lz4 else { return .unavailable }
      return decompress(payload, lz4).map { .bytes($0) } ?? .damaged
    default: return .unavailable
    }
  }

  private static func function<Function>(_ name: String, _ library: String) -> Function? {
    DynamicLibrary(library)?.function(name)
  }

  private static let zstd = Zstd()
  private static let lz4: DecompressBlock? = function("LZ4_decompress_safe", "liblz4.so.1")

  private struct Zstd {
    private let size: Size
    private let decompress: Decompress

    init?() {
      guard let size: Size = function("ZSTD_getFrameContentSize", "libzstd.so.1"),
        let decompress: Decompress = function("ZSTD_decompress", "libzstd.so.1")
      else { return nil }
      self.size = size
      self.decompress = decompress
    }

    func decompress(_ payload: [UInt8]) -> [UInt8]? {
      payload.withUnsafeBytes { source in
        guard let base = source.baseAddress, let count = Int(exactly: size(base, source.count)), count > 0,
          count <= limit
        else { return nil }
        var out = [UInt8](repeating: 0, count: count)
        // An error is a number near the largest one.
        let got = out.withUnsafeMutableBytes { target in
          target.baseAddress.map { decompress($0, count, base, source.count) }
        }
        return got == count ? out : nil
      }
    }
  }

  /// An lz4 payload is the length and one block.
  private static func decompress(_ payload: [UInt8], _ block: DecompressBlock) -> [UInt8]? {
    guard payload.count > 8 else { return nil }
    return payload.withUnsafeBytes { source in
      let stated = UInt64(littleEndian: source.loadUnaligned(as: UInt64.self))
      guard let base = source.baseAddress, stated > 0, stated <= UInt64(limit),
        let length = Int32(exactly: source.count - 8)
      else { return nil }
      let count = Int(stated)
      var out = [UInt8](repeating: 0, count: count)
      let got = out.withUnsafeMutableBytes { target in
        target.baseAddress.map { block(base + 8, $0, length, Int32(count)) }
      }
      return got.map(Int.init) == count ? out : nil
    }
  }
}
