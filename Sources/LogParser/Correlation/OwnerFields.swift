import Bytes

/// What a record's own fields say about its owner, under the names that the programs of a node use.
enum OwnerFields {
  private enum Meaning {
    case sandbox, container, shortContainer, either, upperID, pod, namespace, uid, podReference, instance
  }

  /// What the keys below begin with.
  static let heads = KeyHeads([
    "id", "ID", "cid", "CID", "pod", "podUID", "pod_", "podS", "pods", "SANDBOX", "sandbox", "CONTAINER",
    "container", "instance", "description", "kubernetes", "io.kubernetes", "host",
  ])

  /// Whether any field may name an owner or a host.
  @inline(__always)
  static func mayTell(_ record: borrowing Record, _ heads: KeyHeads) -> Bool {
    heads.mayHoldAny(record.fields)
  }

  /// Fills in what is missing from the fields.
  @inline(__always)
  static func read(
    _ record: borrowing Record, _ heads: KeyHeads, into facts: inout OwnerFacts, host: inout ByteSlice
  ) {
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      guard heads.mayHold(field) else { continue }
      if field.key == "host" {
        host = field.value
      } else if let meaning = meaning(field.key), !field.value.isEmpty {
        set(meaning, field.value, record, &facts)
      }
    }
  }

  private static func meaning(_ key: ByteSlice) -> Meaning? {
    switch key.count {
    case 2: key == "id" ? .either : key == "ID" ? .upperID : nil
    case 3: key == "cid" || key == "CID" ? .shortContainer : key == "pod" ? .pod : nil
    case 6: key == "podUID" ? .uid : nil
    case 7: key == "SANDBOX" ? .sandbox : nil
    case 8: key == "pod_name" ? .pod : key == "instance" ? .instance : nil
    case 9:
      key == "sandboxid" || key == "sandboxID" || key == "sandboxId"
        ? .sandbox : key == "CONTAINER" ? .container : nil
    case 10:
      key == "sandbox_id" || key == "sandbox-id" || key == "SANDBOX_ID" ? .sandbox : nil
    case 11:
      key == "containerID" || key == "containerId" ? .container : key == "description" ? .podReference : nil
    case 12:
      key == "podsandboxid" || key == "podSandboxID" || key == "podSandboxId"
        ? .sandbox
        : key == "container_id" || key == "container-id" || key == "CONTAINER_ID" ? .container : nil
    case 13: key == "pod_namespace" ? .namespace : nil
    case 14: key == "pod_sandbox_id" ? .sandbox : nil
    case 19: key == "kubernetes.pod_name" ? .pod : nil
    case 20: key == "kubernetes.docker_id" ? .container : nil
    case 23: key == "kubernetes.container_id" ? .container : key == "io.kubernetes.pod.name" ? .pod : nil
    case 24: key == "kubernetes.namespace_name" ? .namespace : nil
    default: longMeaning(key)
    }
  }

  private static func longMeaning(_ key: ByteSlice) -> Meaning? {
    if key == "kubernetes.namespace_name" || key == "io.kubernetes.pod.namespace" { return .namespace }
    if key == "io.kubernetes.pod.name" { return .pod }
    return nil
  }

  private static func set(
    _ meaning: Meaning, _ value: ByteSlice, _ record: borrowing Record, _ facts: inout OwnerFacts
  ) {
    switch meaning {
    case .sandbox: if facts.sandbox.isEmpty { facts.sandbox = OwnerID.bare(value) }
    case .container: if facts.container.isEmpty { facts.container = OwnerID.bare(value) }
    case .shortContainer:
      if facts.container.isEmpty, !value.isVsockContext { facts.container = OwnerID.bare(value) }
    case .either: if OwnerID.length(value, at: 0) == value.count { facts.either = value }
    case .upperID:
      // Of the sandbox, as virtcontainers logs it.
      if facts.sandbox.isEmpty, OwnerID.nameLength(value, at: 0) == value.count { facts.sandbox = value }
    case .namespace: facts.namespace = value
    case .uid: facts.uid = value
    case .instance:
      if facts.sandbox.isEmpty, record.name == "firecracker", value != "anonymous-instance" {
        facts.sandbox = value
      }
    case .pod, .podReference:
      if let slash = value.firstIndex(of: 0x2f) {
        OwnerPhrases.podReference(value, from: 0, slash, &facts)
      } else if meaning == .pod, OwnerID.nameLength(value, at: 0) == value.count {
        facts.pod = value
      }
    }
  }
}
