import CZlib

/// Compresses whole bodies as gzip (RFC 1952) with zlib, which is loaded when the first encoder is made. An encoder
/// belongs to one thread and reuses its state, a quarter of a megabyte, for all bodies.
package final class GzipEncoder {
  private let library: ZlibLibrary
  private var stream = kata_z_stream()

  /// Nil if the system has no zlib.
  package init?() {
    guard let library = ZlibLibrary.shared else { return nil }
    self.library = library
    // 15 bits of window, plus 16 to select gzip's header and checksum.
    let code = library.initialize(
      &stream, Int32(KATA_Z_BEST_SPEED), Int32(KATA_Z_DEFLATED), 15 + 16, 8, 0, library.version(),
      Int32(MemoryLayout<kata_z_stream>.size))
    guard code == KATA_Z_OK else { return nil }
  }

  deinit { _ = library.end(&stream) }

  /// The compressed bytes; nil if zlib fails, which happens only if memory runs out.
  package func encode(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    guard bytes.count <= Int(Int32.max), library.reset(&stream) == KATA_Z_OK else { return nil }
    let bound = Int(library.bound(&stream, UInt(bytes.count))) + 64
    let result = [UInt8](unsafeUninitializedCapacity: bound) { target, count in
      stream.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.avail_in = UInt32(bytes.count)
      stream.next_out = target.baseAddress
      stream.avail_out = UInt32(clamping: bound)
      let code = library.deflate(&stream, Int32(KATA_Z_FINISH))
      count = code == KATA_Z_STREAM_END ? bound - Int(stream.avail_out) : 0
      stream.next_in = nil
      stream.next_out = nil
    }
    return result.isEmpty ? nil : result
  }
}

private struct ZlibLibrary: Sendable {
  static let shared = ZlibLibrary()

  let initialize: kata_z_init
  let deflate: kata_z_deflate
  let reset: kata_z_call
  let end: kata_z_call
  let bound: kata_z_bound
  let version: kata_z_version

  private init?() {
    guard let library = DynamicLibrary("libz.so.1", "libz.so"),
      let initialize: kata_z_init = library.function("deflateInit2_"),
      let deflate: kata_z_deflate = library.function("deflate"),
      let reset: kata_z_call = library.function("deflateReset"),
      let end: kata_z_call = library.function("deflateEnd"),
      let bound: kata_z_bound = library.function("deflateBound"),
      let version: kata_z_version = library.function("zlibVersion")
    else { return nil }
    self.initialize = initialize
    self.deflate = deflate
    self.reset = reset
    self.end = end
    self.bound = bound
    self.version = version
  }
}
