import Bytes
import Glibc
import System

/// The bytes and header of a journal file, read without libsystemd, which silently drops a file that it cannot continue
/// to read, and finds only what the file's own indexes reach.
///
/// The file is not trusted: offsets and sizes are checked against the file before they are used.
/// https://systemd.io/JOURNAL_FILE_FORMAT/
struct JournalFileBytes: ~Copyable {
  /// The kinds of objects that are read here; there are also hash tables and tags.
  enum Kind: UInt8 {
    case data = 1
    case field, entry, dataTable, fieldTable, entryArray, tag
  }

  /// The header of an object.
  struct Object {
    static let headSize = 16
    static let alignment = 8

    var offset: Int
    var kind: Kind
    var flags: UInt8
    var size: Int

    /// Where the next object begins.
    var end: Int { (offset + size + Object.alignment - 1) & ~(Object.alignment - 1) }
  }

  /// The largest file that is scanned: journald creates none over 4 GiB.
  static let sizeLimit = 8 << 30

  let path: String
  let size: Int
  /// Whether entries refer to their data by 32-bit offsets (systemd 252 and later).
  let isCompact: Bool
  let headerSize: Int
  /// The number of entries that the header states.
  let entryCount: Int
  /// The offset of the last object that the header states.
  let tailOffset: Int
  let firstTime: UInt64
  let lastTime: UInt64
  let sequence: [UInt8]
  /// The hash of the file's data; nil in files of systemd before 246, which use another one.
  private let hash: SipHash?

  private let file: FileDescriptor
  private var window: PageBlock
  private let windowSize: Int
  private var windowStart = 0

  /// Opens a file; nil if it does not begin like a journal file, or is over the limit.
  init?(_ path: String, windowSize: Int) throws(SystemCallError) {
    let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
    let status = try file.status(path)
    let minimum = 208
    var head = [UInt8](repeating: 0, count: minimum)
    guard status.isRegularFile, status.st_size <= Self.sizeLimit,
      try file.read(at: 0, into: &head, count: minimum, subject: path) == minimum,
      head.starts(with: InputFile.journalMagic)
    else { return nil }
    func word(_ offset: Int) -> UInt64 { head.little(UInt64.self, at: offset) ?? 0 }
    self.path = path
    self.file = file
    size = Int(status.st_size)
    isCompact = head[12] & 16 != 0
    let stated = Int(clamping: word(88))
    // An impossible header size is replaced with the smallest one: the search for objects finds the first.
    headerSize = (minimum...4096).contains(stated) && stated & 7 == 0 ? stated : minimum
    tailOffset = Int(clamping: word(136))
    entryCount = Int(clamping: min(word(152), UInt64(size / 64)))
    firstTime = word(184)
    lastTime = word(192)
    sequence = Array(head[72..<88])
    hash = head[12] & 4 != 0 ? SipHash(key: Array(head[24..<40])) : nil
    self.windowSize = windowSize
    window = PageBlock(capacity: windowSize)
  }

  /// `count` bytes at `offset`; nil if the file has fewer or they cannot be read. Valid until the next call.
  mutating func bytes(at offset: Int, _ count: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, count >= 0, count <= windowSize, offset <= size, count <= size - offset else {
      return nil
    }
    if let bytes = window.buffer(from: offset - windowStart, count: count) { return bytes }
    windowStart = offset & ~7
    try? window.read(file, at: windowStart, count: windowSize, subject: path)
    return window.buffer(from: offset - windowStart, count: count)
  }

  /// The object at `offset`; nil if there is no plausible one.
  mutating func object(at offset: Int) -> Object? {
    guard offset & (Object.alignment - 1) == 0, let head = bytes(at: offset, Object.headSize),
      let kind = Kind(rawValue: head[0]), head[2..<8].allSatisfy({ $0 == 0 })
    else { return nil }
    guard let stated = head.little(UInt64.self, at: 8), stated <= UInt64(size - offset) else { return nil }
    let object = Object(offset: offset, kind: kind, flags: head[1], size: Int(stated))
    switch kind {
    case .data: return object.size > dataHead && object.flags <= 4 ? object : nil
    case .entry:
      let items = object.size - Self.entryHead
      return items > 0 && items % itemSize == 0 && items / itemSize <= Self.itemLimit ? object : nil
    case .field: return object.size > 40 ? object : nil
    case .dataTable, .fieldTable: return object.size > 16 && object.size % 16 == 0 ? object : nil
    case .entryArray: return object.size > 24 ? object : nil
    case .tag: return object.size == 64 ? object : nil
    }
  }

  /// The bytes of a data object before its payload.
  var dataHead: Int { isCompact ? 72 : 64 }

  /// Whether libsystemd accepts a data object, and its payload matches its hash. libsystemd silently drops a field if
  /// one of its object's links is not a valid offset.
  mutating func isIntact(_ object: Object) -> Bool {
    guard let head = bytes(at: object.offset, dataHead) else { return false }
    func word(_ offset: Int) -> UInt64 { head.little(UInt64.self, at: offset) ?? 0 }
    // next_hash_offset, next_field_offset, entry_offset, entry_array_offset; n_entries.
    guard (word(24) | word(32) | word(40) | word(48)) & 7 == 0, (word(40) == 0) == (word(56) == 0) else {
      return false
    }
    let stated = word(Object.headSize)
    guard let hash, let bytes = bytes(at: object.offset, object.size) else { return true }
    let payload = UnsafeRawBufferPointer(rebasing: bytes[dataHead...])
    let isPlain = hash.hash(payload) == stated
    if object.flags == 0 || isPlain { return object.flags == 0 && isPlain }
    switch JournalCompression.decompress(Array(payload), flags: object.flags) {
    case .unavailable: return true
    case .damaged: return false
    case .bytes(let whole): return whole.withUnsafeBytes { hash.hash($0) } == stated
    }
  }

  /// The field in a data object; nil if it cannot be read. A payload whose hash matches is used as it is, whatever the
  /// flags say.
  mutating func field(of object: Object) -> [UInt8]? {
    guard let head = bytes(at: object.offset, dataHead),
      let stated = head.little(UInt64.self, at: Object.headSize)
    else { return nil }
    var payload = [UInt8](repeating: 0, count: object.size - dataHead)
    let isRead = payload.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { base in
        (try? file.read(at: object.offset + dataHead, into: base, count: bytes.count, subject: path))
          == bytes.count
      } ?? false
    }
    guard isRead else { return nil }
    if object.flags == 0 { return payload }
    if let hash, payload.withUnsafeBytes({ hash.hash($0) }) == stated { return payload }
    guard case .bytes(let whole) = JournalCompression.decompress(payload, flags: object.flags) else {
      return nil
    }
    return whole
  }

  /// The bytes of an entry before its items.
  static let entryHead = 64
  /// The maximum number of items of an entry, as in libsystemd.
  static let itemLimit = 1024
  private var itemSize: Int { isCompact ? 4 : 16 }

  /// The number of data objects of the entry with these bytes.
  func itemCount(of entry: UnsafeRawBufferPointer) -> Int { (entry.count - Self.entryHead) / itemSize }

  /// The offset of a data object of the entry with these bytes.
  func item(_ index: Int, of entry: UnsafeRawBufferPointer) -> Int {
    let place = Self.entryHead + index * itemSize
    return isCompact
      ? Int(entry.little(UInt32.self, at: place) ?? 0)
      : Int(clamping: entry.little(UInt64.self, at: place) ?? 0)
  }
}
