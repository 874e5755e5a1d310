import Bytes

/// The owner of a record. Its slices borrow from the record.
package struct Owner {
  /// The parts that were not in the record's own fields.
  package struct Parts: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let sandbox = Parts(rawValue: 1)
    package static let container = Parts(rawValue: 2)
    package static let pod = Parts(rawValue: 4)
  }

  /// How a part that is not in the record's own fields was found.
  package enum Evidence: String, Sendable {
    case text = "the text of the message"
    case path = "a path"
    case table = "earlier records with this id"
    case process = "earlier records of this process"
    case neighbours = "the only sandbox of the input so far"
    case input = "the name of the input"
  }

  package var sandbox = ByteSlice.empty
  package var container = ByteSlice.empty
  package var pod = ByteSlice.empty
  package var namespace = ByteSlice.empty
  /// What the pod calls the container.
  package var containerName = ByteSlice.empty
  /// An id that may be a sandbox's or a container's: nothing says which.
  package var unknownID = ByteSlice.empty
  package var inferred: Parts = []
  /// How the sandbox was found, where it was inferred.
  package var sandboxEvidence: Evidence?
  package var containerEvidence: Evidence?
  package var podEvidence: Evidence?

  package init() {}

  /// What the record itself states.
  package init(of record: borrowing Record) {
    sandbox = record.sandbox
    container = record.container
  }
}

/// What a record says about its owner, in any form.
struct OwnerFacts {
  var sandbox = ByteSlice.empty
  var container = ByteSlice.empty
  /// An id that may be a sandbox's or a container's.
  var either = ByteSlice.empty
  var pod = ByteSlice.empty
  var namespace = ByteSlice.empty
  /// What the pod calls the container.
  var containerName = ByteSlice.empty
  /// The name that a container runtime gives to a sandbox, `POD_NAMESPACE_UID_ATTEMPT`, in parts.
  var uid = ByteSlice.empty
  var attempt = ByteSlice.empty

  /// Whether the parts name one sandbox, although its id is not known.
  var namesSandbox: Bool { !pod.isEmpty && !uid.isEmpty }
}
