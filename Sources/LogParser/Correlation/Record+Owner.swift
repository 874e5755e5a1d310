import Bytes

extension Record {
  /// Whether something about the record, not of its owner, is to be marked as inferred.
  @inline(__always)
  var isInferred: Bool { marks.contains(.levelIsInferred) || marks.contains(.yearIsInferred) }

  /// Puts into the record whom it belongs to.
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
    let inferred = InferredText.index(marks, owner.inferred)
    if inferred != 0, isMarked {
      setField("kata-log-parser-inferred", arena.copy(InferredText.all[inferred]))
    }
    fields.sortKeepingLast()
  }
}

/// The names of what is inferred of a record, joined by commas.
package enum InferredText {
  private static let names = ["time", "year", "level", "container", "sandbox", "pod"]

  /// For each set of names, a bit each, its text.
  static let all: [[UInt8]] = (0..<64).map { bits in
    Array(names.indices.filter { bits >> $0 & 1 == 1 }.map { names[$0] }.joined(separator: ",").utf8)
  }

  /// What is not as the input states it.
  package static func text(_ marks: RecordMarks, _ owner: Owner) -> String {
    String(decoding: all[index(marks, owner.inferred)], as: UTF8.self)
  }

  static func index(_ marks: RecordMarks, _ parts: Owner.Parts) -> Int {
    var bits = 0
    if marks.contains(.timeIsInherited) {
      bits |= 1
    } else if marks.contains(.yearIsInferred) {
      bits |= 2
    }
    if marks.contains(.levelIsInferred) { bits |= 4 }
    if parts.contains(.container) { bits |= 8 }
    if parts.contains(.sandbox) { bits |= 16 }
    if parts.contains(.pod) { bits |= 32 }
    return bits
  }
}
