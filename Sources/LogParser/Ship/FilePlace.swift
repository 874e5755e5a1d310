import Bytes
import Glibc
import System

/// How far a file was delivered: the last delivered record, and what proves that the file is still the same.
///
/// A file is identified by its device and inode, so that it is found again after a rotation renamed it. Because inodes
/// are reused and files are truncated, a checksum of the bytes at the position is kept as well.
package struct FilePlace: Sendable, Equatable {
  /// What identifies a file.
  package struct Identity: Sendable, Hashable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
    }

    /// The identity of the regular file that a path leads to; nil when there is none.
    static func of(_ path: String) -> Identity? {
      var status = stat()
      guard stat(path, &status) == 0, status.isRegularFile else { return nil }
      return Identity(status)
    }
  }

  /// The number of bytes at the position that are checked, if the file has that many.
  static let checkedBytes = 64

  package var path: String
  package var identity: Identity
  /// The offset at which the last delivered record begins, in bytes.
  package var offset = 0
  /// Whether a record at ``offset`` was delivered; false at the start of a file from which nothing was delivered.
  package var isDelivered = false
  /// The number of bytes from ``offset`` on that the checksum covers, and their CRC-32C.
  package var checked = 0
  package var checksum: UInt32 = 0
  /// The size of the file when it was closed, as far as that is known; not kept from run to run.
  var size = -1
  /// When the file was closed, in nanoseconds since 1970; not kept either.
  var closedAt: UInt64 = 0

  package init(path: String, identity: Identity) {
    self.path = path
    self.identity = identity
  }

  /// The size of the file at a path in bytes; -1 if there is none.
  static func size(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : -1
  }

  /// Identifies the record at the position, even after a rotation moved its file: a later file may have the same inode,
  /// but not a record with the same time at the same offset.
  func cursor(_ time: Timestamp) -> String {
    func hex(_ number: some BinaryInteger) -> String { String(number, radix: 16) }
    return "i=\(hex(identity.inode));o=\(hex(offset));t=\(hex(time.seconds)).\(hex(time.nanoseconds))"
  }

  /// Notes the bytes at the position.
  mutating func check(_ bytes: [UInt8]) {
    checked = bytes.count
    checksum = Self.checksum(bytes)
  }

  /// Whether the file still has the bytes at the position that were noted.
  func holds(in file: borrowing FileDescriptor) -> Bool {
    guard checked > 0 else { return offset == 0 }
    guard let bytes = try? file.bytes(at: offset, count: checked, subject: path) else { return false }
    return bytes.count == checked && Self.checksum(bytes) == checksum
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withBytes { CRC32C.checksum($0) }
  }
}
