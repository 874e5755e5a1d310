import Bytes

/// A sandbox, as far as it is known from records.
final class KnownSandbox {
  /// Empty as long as no record has named it.
  let id: [UInt8]
  fileprivate(set) var pod: [UInt8] = []
  fileprivate(set) var namespace: [UInt8] = []
  /// Records that would have had a more complete owner if they had come later.
  var waiting: UInt64 = 0
  /// Whether it represented an id that it no longer represents.
  fileprivate(set) var isReplaced = false

  init(id: [UInt8]) { self.id = id }
}

/// Which ids belong to which sandbox: those of sandboxes, containers, processes, and the names that container runtimes
/// give to sandboxes.
///
/// A node has few ids, but guests and those who start them can choose ids, so the table is bounded: beyond ``limit``
/// ids the one that was learned first is forgotten, and counted.
struct OwnerTable {
  static let limit = 65_536

  enum Kind: UInt8 { case sandbox, container, process, name }

  /// A process, as the table identifies it.
  struct Process {
    fileprivate let hash: Int

    /// Process ids are those of a host; where no host is named, of whatever wrote the input.
    init(_ pid: Int, host: ByteSlice, input: Int) {
      var hasher = Hasher()
      hasher.combine(Kind.process.rawValue)
      hasher.combine(pid)
      if host.isEmpty { hasher.combine(input) }
      hasher.combine(bytes: UnsafeRawBufferPointer(host.bytes))
      hash = hasher.finalize()
    }
  }

  /// Ids by their hashes. The hashes use a new key in each run, so that nobody can choose an id with the hash of
  /// another.
  private var known: [Int: KnownSandbox] = [:]
  /// The hashes in the order in which they were learned, a ring once it is full.
  private var order: [Int] = []
  private var oldest = 0
  /// Ids that were forgotten.
  private(set) var forgotten: UInt64 = 0
  /// Records that came before the records that would have told their owner.
  private(set) var early: UInt64 = 0
  /// Whether any sandbox's pod is known.
  private(set) var hasPods = false

  func find(_ kind: Kind, _ id: ByteSlice) -> KnownSandbox? { named(Self.hash(kind, id)) }

  func find(_ process: Process) -> KnownSandbox? { named(process.hash) }

  /// The entry, unless it only counts waiting records.
  private func named(_ hash: Int) -> KnownSandbox? {
    guard let entry = known[hash], !entry.id.isEmpty || !entry.pod.isEmpty else { return nil }
    return entry
  }

  /// The sandbox with this id, which is known from now on.
  mutating func sandbox(_ id: ByteSlice) -> KnownSandbox {
    let hash = Self.hash(.sandbox, id)
    if let known = known[hash] { return known }
    let made = KnownSandbox(id: id.array)
    insert(hash, made)
    return made
  }

  /// Notes that the id belongs to the sandbox.
  mutating func link(_ kind: Kind, _ id: ByteSlice, to sandbox: KnownSandbox) {
    insert(Self.hash(kind, id), sandbox)
  }

  mutating func link(_ process: Process, to sandbox: KnownSandbox) { insert(process.hash, sandbox) }

  /// Notes the pod of a sandbox.
  mutating func name(_ sandbox: KnownSandbox, pod: ByteSlice, namespace: ByteSlice) {
    if sandbox.pod.isEmpty {
      hasPods = true
      early += sandbox.waiting
      sandbox.waiting = 0
    } else if pod.isSame(as: sandbox.pod), namespace.isEmpty || namespace.isSame(as: sandbox.namespace) {
      return
    }
    sandbox.pod = pod.array
    if !namespace.isEmpty { sandbox.namespace = namespace.array }
  }

  /// Forgets the records that came too early, because they are read again.
  mutating func forgetEarly() {
    early = 0
    forgotten = 0
    for sandbox in known.values { sandbox.waiting = 0 }
  }

  /// Notes that a record of the sandbox has no pod yet.
  func noteWaiting(_ sandbox: KnownSandbox) { sandbox.waiting += 1 }

  /// Notes that a record came whose owner this id may tell later.
  mutating func noteWaiting(_ kind: Kind, _ id: ByteSlice) { noteWaiting(Self.hash(kind, id)) }

  /// Notes that a record came whose owner its process may tell later. Returns the counter of such records.
  @discardableResult
  mutating func noteWaiting(_ process: Process) -> KnownSandbox { noteWaiting(process.hash) }

  @discardableResult
  private mutating func noteWaiting(_ hash: Int) -> KnownSandbox {
    if let entry = known[hash] {
      entry.waiting += 1
      return entry
    }
    let entry = KnownSandbox(id: [])
    entry.waiting = 1
    insert(hash, entry)
    return entry
  }

  private mutating func insert(_ hash: Int, _ sandbox: KnownSandbox) {
    if let old = known.updateValue(sandbox, forKey: hash) {
      if old !== sandbox, old.id.isEmpty {
        early += old.waiting
        old.waiting = 0
        old.isReplaced = true
      }
      return
    }
    if order.count < Self.limit { return order.append(hash) }
    if let old = known.removeValue(forKey: order[oldest]), old.id.isEmpty { old.isReplaced = true }
    forgotten += 1
    order[oldest] = hash
    oldest = (oldest + 1) % Self.limit
  }

  private static func hash(_ kind: Kind, _ id: ByteSlice) -> Int {
    var hasher = Hasher()
    hasher.combine(kind.rawValue)
    hasher.combine(bytes: UnsafeRawBufferPointer(id.bytes))
    return hasher.finalize()
  }
}
