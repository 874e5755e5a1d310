import Bytes

extension Record {
  /// Whether something about the record other than its owner must be marked as inferred.
  @inline(__always)
  var isInferred: Bool { !marks.isDisjoint(with: .inferred) }

  /// Writes the owner into the record.
  ///
  /// - Parameter isMarked: whether a field says what was inferred.
  @inline(__always)
  package mutating func set(_ owner: Owner, isMarked: Bool) {
    let isSame = sandbox.count == owner.sandbox.count && container.count == owner.container.count
    if isSame, owner.pod.isEmpty, owner.inferred.isEmpty, !isInferred { return }
    setAll(owner, isMarked)
  }

  @inline(never)
  private mutating func setAll(_ owner: Owner, _ isMarked: Bool) {
    sandbox = owner.sandbox
    container = owner.container
    if !owner.pod.isEmpty {
      setField("pod", owner.pod)
      if !owner.namespace.isEmpty { setField("pod_namespace", owner.namespace) }
    }
    if !owner.containerName.isEmpty { setField("container_name", owner.containerName) }
    if isMarked { addInferred(owner.inferred) }
    fields.sortKeepingLast()
  }

  /// Adds a field that names what was inferred: about the record, and the `parts` of its owner.
  @inline(never)
  package mutating func setInferred(_ parts: Owner.Parts) {
    addInferred(parts)
    fields.sortKeepingLast()
  }

  private mutating func addInferred(_ parts: Owner.Parts) {
    let inferred = InferredText.index(marks, parts)
    if inferred != 0 { setField("kata-log-parser-inferred", arena.copy(InferredText.all[inferred])) }
  }
}

/// The names of what was inferred about a record, joined by commas.
package enum InferredText {
  private static let names = [
    "time", "time-year", "time-zone", "time-hour", "time-age", "level", "container", "sandbox", "pod",
  ]

  /// The text of each set of names; a name is a bit of the index.
  static let all: [[UInt8]] = (0..<1 << names.count).map { bits in
    Array(names.indices.filter { bits >> $0 & 1 == 1 }.map { names[$0] }.joined(separator: ",").utf8)
  }

  /// What is not stated by the input.
  package static func text(_ marks: RecordMarks, _ owner: Owner) -> String {
    String(decoding: all[index(marks, owner.inferred)], as: UTF8.self)
  }

  static func index(_ marks: RecordMarks, _ parts: Owner.Parts) -> Int {
    var bits = 0
    if marks.contains(.timeIsInherited) { bits |= 1 }
    if marks.contains(.yearIsInferred) { bits |= 2 }
    if marks.contains(.zoneIsInferred) { bits |= 4 }
    if marks.contains(.hourIsInferred) { bits |= 8 }
    if marks.contains(.timeIsCountedBack) { bits |= 16 }
    if marks.contains(.levelIsInferred) { bits |= 32 }
    if parts.contains(.container) { bits |= 64 }
    if parts.contains(.sandbox) { bits |= 128 }
    if parts.contains(.pod) { bits |= 256 }
    return bits
  }
}
