import Bytes

/// Finds the owner of each record: from the record's own fields and text, and from what earlier records said about the
/// same sandbox, container or process.
///
/// It needs one pass, and its memory does not grow with the input: see ``OwnerTable``. A guest's output is not
/// evidence: it could name another guest's sandbox.
package final class Attribution {
  /// What the records of one input have in common.
  private struct Input {
    /// What the input's name says.
    var facts: NameFacts?
    var isOnlySandbox = true
    var onlySandbox: KnownSandbox?
  }

  private struct NameFacts {
    var sandbox: [UInt8]
    var container: [UInt8]
    var pod: [UInt8]
    var namespace: [UInt8]
    var containerName: [UInt8]
  }

  @exclusivity(unchecked) private var table = OwnerTable()
  @exclusivity(unchecked) private var memo = OwnerMemo()
  @exclusivity(unchecked) private var inputs: [Input]
  /// Processes about which nothing is known.
  @exclusivity(unchecked) private var unknown = UnknownProcesses()
  /// Indexes of inputs that are no longer read. They identify processes, so an index is reused only once the table has
  /// long since replaced all ids of that input.
  private var freeInputs: [Int] = []
  private static let mostForgotten = 1 << 16
  private let heads = OwnerFields.heads
  let glance = OwnerGlance()

  /// Whether a field of each record says which parts of its owner were inferred.
  package let marksInferred: Bool

  /// - Parameters:
  ///   - names: the paths of the inputs, with links resolved.
  ///   - links: the paths as given, because the path of a link may say more than that of its file. Optional.
  package init(names: [String], links: [String] = [], marksInferred: Bool = true) {
    self.marksInferred = marksInferred
    inputs = names.indices.map { index in
      Input(facts: Self.facts(of: names[index], link: index < links.count ? links[index] : ""))
    }
  }

  private static func facts(of name: String, link: String) -> NameFacts? {
    ByteSlice.withCopy(of: Array(link.utf8)) { link in
      ByteSlice.withCopy(of: Array(name.utf8)) { path in
        var facts = OwnerFacts()
        if !link.isEmpty { OwnerPaths.read(input: link, into: &facts) }
        OwnerPaths.read(input: path, into: &facts)
        if facts.container.isEmpty { facts.container = facts.either }
        if facts.sandbox.isEmpty, facts.container.isEmpty, facts.pod.isEmpty { return nil }
        return NameFacts(
          sandbox: facts.sandbox.array, container: facts.container.array, pod: facts.pod.array,
          namespace: facts.namespace.array, containerName: facts.containerName.array)
      }
    }
  }

  /// Adds an input while others are being read; returns its index.
  ///
  /// - Parameter name: its path.
  package func addInput(_ name: String) -> Int {
    let input = Input(facts: Self.facts(of: name, link: ""))
    guard freeInputs.count > Self.mostForgotten else {
      inputs.append(input)
      return inputs.count - 1
    }
    let index = freeInputs.removeFirst()
    inputs[index] = input
    return index
  }

  /// Forgets an input that is no longer read; its index may be reused.
  package func removeInput(_ index: Int) {
    guard inputs.indices.contains(index) else { return }
    inputs[index] = Input()
    freeInputs.append(index)
  }

  /// Records that came before the records that would have told their owner.
  package var earlyRecords: UInt64 { table.early }
  /// Ids that were forgotten to make room for others.
  package var forgottenIDs: UInt64 { table.forgotten }

  /// Whether the pod of any sandbox is known, which is then added to all of its records.
  var hasPods: Bool { table.hasPods }

  /// The pod of a sandbox and its namespace, if they are known.
  package func pod(of sandbox: String) -> (pod: String, namespace: String)? {
    let known = ByteSlice.withCopy(of: Array(sandbox.utf8)) { table.find(.sandbox, $0) }
    guard let known, !known.pod.isEmpty else { return nil }
    return (String(decoding: known.pod, as: UTF8.self), String(decoding: known.namespace, as: UTF8.self))
  }

  /// Keeps what was learned, and no longer counts records that came too early.
  package func beginSecondPass() {
    memo.flush()
    table.forgetEarly()
  }

  /// Finds the owner of a record. What it says is used for later records.
  @inline(__always)
  package func owner(of record: inout Record, input: Int) -> Owner {
    isAsStated(record, input) ? Owner(of: record) : read(&record, input)
  }

  /// Finds the owner of a record and puts it into the record.
  @inline(__always)
  package func fill(_ record: inout Record, input: Int) {
    if !record.isInferred, isAsStated(record, input) { return }
    record.set(read(&record, input), isMarked: marksInferred)
  }

  /// Whether the name of an input says something about the owner of its records.
  func isTold(byName input: Int) -> Bool { inputs.indices.contains(input) && inputs[input].facts != nil }

  /// Whether a record says no more about its owner than a recent one of the same process, as most records do. Then
  /// there is nothing to learn from it and nothing to add to it.
  @inline(__always)
  private func isAsStated(_ record: borrowing Record, _ input: Int) -> Bool {
    if record.sandbox.isEmpty { return isUnknown(record, input) }
    return glance.isStated(record)
      && confirms(
        sandbox: record.sandbox, record.container, pid: record.pid, input: input,
        isGuest: Self.isGuest(record.source, record.name))
  }

  private func isUnknown(_ record: borrowing Record, _ input: Int) -> Bool {
    if isTold(byName: input) { return false }
    switch glance.ofUnnamed(record) {
    case .nothing: return true
    case .process: return confirmsUnknown(pid: record.pid, input: input)
    case .stated, .open: return false
    }
  }

  /// Whether there is nothing to learn from, or to add to, a record with ``OwnerGlance/Finding/stated``.
  @inline(__always)
  func confirms(
    sandbox: ByteSlice, _ container: ByteSlice, pid: Int, input: Int, isGuest: @autoclosure () -> Bool
  ) -> Bool {
    guard !table.hasPods,
      let slot = memo.find(sandbox, container, pid: pid, host: .empty, input: input, isGuest: isGuest())
    else { return false }
    memo.noteWaiting(slot)
    return true
  }

  /// Whether nothing is known about the process of a record that says nothing else about its owner.
  func confirmsUnknown(pid: Int, input: Int) -> Bool {
    if let entry = unknown.find(pid, input) {
      entry.waiting += 1
      return true
    }
    let process = OwnerTable.Process(pid, host: .empty, input: input)
    if table.find(process) != nil { return false }
    unknown.keep(table.noteWaiting(process), pid, input)
    return true
  }

  @inline(never)
  private func read(_ record: inout Record, _ input: Int) -> Owner {
    var facts = OwnerFacts()
    var host = ByteSlice.empty
    facts.sandbox = record.sandbox
    facts.container = record.container
    OwnerFields.read(record, heads, into: &facts, host: &host)
    // The Rust runtime's loggers name the sandbox as their source.
    if facts.sandbox.isEmpty, record.name == "kata-runtime", !record.source.isEmpty,
      OwnerID.length(record.source, at: 0) == record.source.count
    {
      facts.sandbox = record.source
    }
    // The same process names the same sandbox again: there is nothing to learn.
    if !record.sandbox.isEmpty, facts.pod.isEmpty,
      let slot = memo.find(
        facts.sandbox, facts.container, pid: record.pid, host: host, input: input,
        isGuest: Self.isGuest(record.source, record.name))
    {
      var owner = Owner()
      owner.sandbox = facts.sandbox
      owner.container = facts.container
      if table.hasPods, let sandbox = memo.sandbox(slot), !sandbox.pod.isEmpty {
        addPod(of: sandbox, to: &owner, &record)
      } else {
        memo.noteWaiting(slot)
      }
      return owner
    }
    return find(facts, host, &record, input)
  }

  @inline(never)
  private func find(
    _ stated: OwnerFacts, _ host: ByteSlice, _ record: inout Record, _ input: Int
  ) -> Owner {
    var owner = Owner()
    var facts = stated
    let isGuest = Self.isGuest(record.source, record.name) && !Self.isHostKernelsReport(record)
    if !isGuest, record.sandbox.isEmpty { readText(&record, &facts, &owner) }
    placeEither(&facts, &owner)
    owner.sandbox = facts.sandbox
    owner.container = facts.container
    owner.pod = facts.pod
    owner.namespace = facts.namespace
    if owner.pod.isEmpty == false, stated.pod.isEmpty { owner.podEvidence = .text }
    let name = Self.name(facts, &record.arena)
    let process =
      record.pid > 0 && Self.isSandboxProcess(record.name)
      ? OwnerTable.Process(record.pid, host: host, input: input) : nil
    let known: KnownSandbox?
    if owner.sandbox.isEmpty {
      known = search(facts, name, process, &owner, &record, input)
    } else if isGuest {
      known = table.find(.sandbox, owner.sandbox)
    } else {
      known = learn(facts, name, process, input)
    }
    // An equal record will teach nothing more, and there is nothing more to add to it.
    if let known, !record.sandbox.isEmpty, facts.pod.isEmpty,
      !inputs.indices.contains(input) || inputs[input].facts == nil
    {
      memo.keep(known, facts, pid: record.pid, host: host, input: input, isGuest: isGuest)
    }
    complete(&owner, known, &record, input)
    noteWaiting(owner, known, name, process)
    owner.inferred = Self.inferred(owner)
    return owner
  }

  /// Reads what the message and the paths of a host program's record say. The record is not changed.
  private func readText(_ record: inout Record, _ facts: inout OwnerFacts, _ owner: inout Owner) {
    let stated = facts
    OwnerPhrases.read(record.message, into: &facts)
    if stated.sandbox.isEmpty, !facts.sandbox.isEmpty { owner.sandboxEvidence = .text }
    if record.name == "conmon" { OwnerPhrases.readConmon(record.message, into: &facts) }
    if stated.container.isEmpty, !facts.container.isEmpty { owner.containerEvidence = .text }
    guard facts.sandbox.isEmpty, facts.container.isEmpty else { return }
    OwnerPaths.read(record.message, record.fields, into: &facts)
    if !facts.sandbox.isEmpty { owner.sandboxEvidence = .path }
    if stated.either.isEmpty, !facts.either.isEmpty, facts.sandbox.isEmpty {
      // A path leads to a container unless its id is known for a sandbox's.
      facts.container = facts.either
      owner.containerEvidence = .path
    }
  }

  /// Decides the kind of an id that the text leaves open: a sandbox has a container with the same id.
  private func placeEither(_ facts: inout OwnerFacts, _ owner: inout Owner) {
    if owner.containerEvidence != nil, facts.sandbox.isEmpty,
      table.find(.sandbox, facts.container) != nil
    {
      facts.sandbox = facts.container
      facts.container = .empty
      owner.sandboxEvidence = owner.containerEvidence
      owner.containerEvidence = nil
    }
    guard !facts.either.isEmpty, facts.container.isEmpty, !facts.sandbox.equals(facts.either) else { return }
    if facts.sandbox.isEmpty, table.find(.sandbox, facts.either) != nil {
      facts.sandbox = facts.either
      owner.sandboxEvidence = .table
    } else if table.find(.container, facts.either) != nil {
      facts.container = facts.either
      owner.containerEvidence = .table
    } else {
      owner.unknownID = facts.either
    }
  }

  /// Finds the sandbox of a record that does not name it.
  private func search(
    _ facts: OwnerFacts, _ name: ByteSlice, _ process: OwnerTable.Process?, _ owner: inout Owner,
    _ record: inout Record, _ input: Int
  ) -> KnownSandbox? {
    if !facts.container.isEmpty, let known = table.find(.container, facts.container) {
      owner.sandboxEvidence = .table
      return known
    }
    if !name.isEmpty, let known = table.find(.name, name) {
      owner.sandboxEvidence = .table
      return known
    }
    if inputs.indices.contains(input), let names = inputs[input].facts, !names.sandbox.isEmpty {
      owner.sandbox = record.arena.copy(names.sandbox)
      owner.sandboxEvidence = .input
      return table.find(.sandbox, owner.sandbox)
    }
    if inputs.indices.contains(input), let names = inputs[input].facts, !names.container.isEmpty,
      facts.container.isEmpty, let known = table.find(.container, record.arena.copy(names.container))
    {
      owner.sandboxEvidence = .table
      return known
    }
    if let process, let known = table.find(process) {
      owner.sandboxEvidence = .process
      return known
    }
    // The runtime's libraries log some lines without the fields of their logger.
    if record.pid == 0, record.name.isEmpty, facts.container.isEmpty,
      record.source.hasPrefix("virtcontainers"),
      inputs.indices.contains(input), inputs[input].isOnlySandbox, let only = inputs[input].onlySandbox
    {
      owner.sandboxEvidence = .neighbours
      return only
    }
    return nil
  }

  /// Remembers what the record says about its sandbox.
  private func learn(
    _ facts: OwnerFacts, _ name: ByteSlice, _ process: OwnerTable.Process?, _ input: Int
  ) -> KnownSandbox {
    let sandbox = table.sandbox(facts.sandbox)
    if !facts.container.isEmpty, !facts.container.equals(facts.sandbox) {
      table.link(.container, facts.container, to: sandbox)
    }
    if let process { table.link(process, to: sandbox) }
    if !name.isEmpty { table.link(.name, name, to: sandbox) }
    if !facts.pod.isEmpty {
      if sandbox.pod.isEmpty { memo.flush() }
      table.name(sandbox, pod: facts.pod, namespace: facts.namespace)
    }
    if inputs.indices.contains(input) {
      if let only = inputs[input].onlySandbox {
        if only !== sandbox { inputs[input].isOnlySandbox = false }
      } else {
        inputs[input].onlySandbox = sandbox
      }
    }
    return sandbox
  }

  /// Fills in what is missing from the sandbox and from the name of the input.
  private func complete(_ owner: inout Owner, _ known: KnownSandbox?, _ record: inout Record, _ input: Int) {
    if let known {
      if owner.sandbox.isEmpty { owner.sandbox = record.arena.copy(known.id) }
      if owner.pod.isEmpty, !known.pod.isEmpty { addPod(of: known, to: &owner, &record) }
    }
    guard inputs.indices.contains(input), let names = inputs[input].facts else { return }
    if owner.container.isEmpty, !names.container.isEmpty {
      owner.container = record.arena.copy(names.container)
      owner.containerEvidence = .input
    }
    if owner.pod.isEmpty, !names.pod.isEmpty {
      owner.pod = record.arena.copy(names.pod)
      owner.namespace = record.arena.copy(names.namespace)
      owner.podEvidence = .input
    }
    if !names.containerName.isEmpty, owner.containerEvidence == .input || owner.container.isEmpty {
      owner.containerName = record.arena.copy(names.containerName)
      owner.containerEvidence = .input
    }
  }

  private func addPod(of sandbox: KnownSandbox, to owner: inout Owner, _ record: inout Record) {
    owner.pod = record.arena.copy(sandbox.pod)
    owner.namespace = record.arena.copy(sandbox.namespace)
    owner.podEvidence = .table
    owner.inferred.insert(.pod)
  }

  /// Counts a record whose owner a later record may tell.
  private func noteWaiting(
    _ owner: Owner, _ known: KnownSandbox?, _ name: ByteSlice, _ process: OwnerTable.Process?
  ) {
    if let known {
      if owner.pod.isEmpty { table.noteWaiting(known) }
    } else if owner.sandbox.isEmpty {
      if !owner.container.isEmpty {
        table.noteWaiting(.container, owner.container)
      } else if !name.isEmpty {
        table.noteWaiting(.name, name)
      } else if let process {
        table.noteWaiting(process)
      }
    }
  }

  private static func name(_ facts: OwnerFacts, _ arena: inout Arena) -> ByteSlice {
    guard facts.namesSandbox else { return .empty }
    let pod = arena.join(facts.pod, 0x5f, facts.namespace)
    return arena.join(arena.join(pod, 0x5f, facts.uid), 0x5f, facts.attempt)
  }

  private static func inferred(_ owner: Owner) -> Owner.Parts {
    var parts: Owner.Parts = []
    if owner.sandboxEvidence != nil, !owner.sandbox.isEmpty { parts.insert(.sandbox) }
    if owner.containerEvidence != nil, !owner.container.isEmpty || !owner.containerName.isEmpty {
      parts.insert(.container)
    }
    if owner.podEvidence != nil, !owner.pod.isEmpty { parts.insert(.pod) }
    return parts
  }
}
