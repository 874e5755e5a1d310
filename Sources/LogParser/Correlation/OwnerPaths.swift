import Bytes

/// The ids in the paths and arguments that Kata, containerd and CRI-O build from them.
enum OwnerPaths {
  private struct Place {
    let head: StaticString
    /// Whether the id is a sandbox's; otherwise it may be a sandbox's or a container's.
    let isSandbox: Bool
    /// Whether any name in that part of the path is an id.
    let takesNames: Bool
  }

  private static let places = [
    Place(head: "/vc/vm/", isSandbox: true, takesNames: true),
    Place(head: "/vc/sbs/", isSandbox: true, takesNames: true),
    Place(head: "/run/kata/", isSandbox: true, takesNames: true),
    Place(head: "/shared/sandboxes/", isSandbox: true, takesNames: true),
    Place(head: "/peerpod/pods/", isSandbox: true, takesNames: true),
    Place(head: "/vc/firecracker/", isSandbox: true, takesNames: true),
    Place(head: ".cri/sandboxes/", isSandbox: true, takesNames: false),
    Place(head: "/kata_", isSandbox: true, takesNames: true),
    Place(head: "/shared/containers/", isSandbox: false, takesNames: false),
    Place(head: "/cri-containerd-", isSandbox: false, takesNames: false),
    Place(head: "/crio-", isSandbox: false, takesNames: false),
    Place(head: "/docker-", isSandbox: false, takesNames: false),
    Place(head: "/docker/", isSandbox: false, takesNames: false),
    Place(head: "/overlay-containers/", isSandbox: false, takesNames: false),
    Place(head: ".v2.task/k8s.io/", isSandbox: false, takesNames: false),
    Place(head: ".v2.task/default/", isSandbox: false, takesNames: false),
    Place(head: ".v2.task/moby/", isSandbox: false, takesNames: false),
  ]

  /// What is searched for in a text.
  private static let limit = 16 << 10

  /// Fills in what is missing from the message and from the fields that hold paths.
  static func read(_ message: ByteSlice, _ fields: borrowing FieldList, into facts: inout OwnerFacts) {
    read(message, into: &facts)
    for index in 0..<fields.count where facts.sandbox.isEmpty {
      let field = fields[index]
      if holdsPaths(field.key) { read(field.value, into: &facts) }
    }
  }

  /// What the keys of fields that hold paths begin with.
  static let heads = KeyHeads([
    "err", "cmd", "dir", "path", "link", "root", "error", "mount", "bundle", "socket", "address", "cgroup",
    "console",
  ])

  /// Whether a field may hold a path.
  static func mayTell(_ field: Field) -> Bool { field.value.contains(0x2f) && holdsPaths(field.key) }

  /// Fields of the host's programs; what the guest wrote into `console` or `vmconsole` is not evidence.
  private static func holdsPaths(_ key: ByteSlice) -> Bool {
    switch key.count {
    case 3: key == "err" || key == "cmd" || key == "dir"
    case 4: key == "path" || key == "link" || key == "root"
    case 5: key == "error" || key == "mount"
    case 6: key == "bundle" || key == "socket"
    case 7: key == "address"
    case 10: key == "cgroupPath" || key == "socketPath"
    case 11: key == "console-url" || key == "console_url" || key == "cgroup_path"
    default: false
    }
  }

  /// Fills in what is missing from one text.
  static func read(_ whole: ByteSlice, into facts: inout OwnerFacts) {
    let text = whole.prefix(limit)
    guard text.contains(0x2f) else { return }
    for place in places {
      guard let found = text.range(of: place.head) else { continue }
      let start = found + place.head.utf8CodeUnitCount
      var length = OwnerID.length(text, at: start)
      if length == 0, place.takesNames {
        length = OwnerID.nameLength(text, at: start)
        if isReserved(text.slice(start, start + length)) { length = 0 }
      }
      if length == 0 { continue }
      let id = text.slice(start, start + length)
      if place.isSandbox {
        facts.sandbox = id
        return
      }
      if facts.either.isEmpty { facts.either = id }
    }
  }

  /// Names of directories that do not belong to a sandbox.
  private static func isReserved(_ name: ByteSlice) -> Bool {
    name == "template" || name == "cache" || name == "overhead" || name == "vm" || name == "containers"
  }

  /// What the name of an input says: the console of a sandbox, or the log of a container as the kubelet names it, even
  /// if it was copied elsewhere.
  static func read(input path: ByteSlice, into facts: inout OwnerFacts) {
    read(path, into: &facts)
    if facts.sandbox.isEmpty { facts.sandbox = console(path) ?? .empty }
    let name = path.lastPart
    if readLogName(name.part, isInFolder: name.rest.hasSuffix("/log/containers"), &facts) { return }
    let folder = name.rest.lastPart
    let outer = folder.rest.lastPart
    if readPodFolder(outer.part, isInFolder: outer.rest.hasSuffix("/log/pods"), &facts) {
      facts.containerName = folder.part
    } else {
      _ = readPodFolder(folder.part, isInFolder: folder.rest.hasSuffix("/log/pods"), &facts)
    }
  }

  /// `…/ID/console.log`, `console-ID.log`.
  private static func console(_ path: ByteSlice) -> ByteSlice? {
    let start = path.lastIndex(of: 0x2f).map { $0 + 1 } ?? 0
    let name = path.dropFirst(start)
    if name.hasPrefix("console-") {
      let length = OwnerID.length(name, at: 8)
      return length > 0 ? name.slice(8, 8 + length) : nil
    }
    guard name.hasPrefix("console."), start > 1 else { return nil }
    let folder = path.prefix(start - 1)
    let id = folder.dropFirst(folder.lastIndex(of: 0x2f).map { $0 + 1 } ?? 0)
    return OwnerID.length(id, at: 0) == id.count && !id.isEmpty ? id : nil
  }

  /// `POD_NAMESPACE_CONTAINER-ID.log`, which its id identifies in any folder.
  private static func readLogName(_ name: ByteSlice, isInFolder: Bool, _ facts: inout OwnerFacts) -> Bool {
    guard let first = name.firstIndex(of: 0x5f), let second = name.firstIndex(of: 0x5f, from: first + 1),
      first > 0, second > first + 1
    else { return false }
    var container = ByteSlice.empty
    if let dash = name.lastIndex(of: 0x2d), dash > second {
      let length = OwnerID.length(name, at: dash + 1)
      if length == 64 {
        container = name.slice(dash + 1, dash + 1 + length)
        facts.containerName = name.slice(second + 1, dash)
      }
    }
    guard isInFolder || !container.isEmpty else { return false }
    facts.pod = name.prefix(first)
    facts.namespace = name.slice(first + 1, second)
    if !container.isEmpty { facts.container = container }
    return true
  }

  /// `NAMESPACE_POD_UID`; the uid of a pod that the kubelet runs by itself is a hash.
  private static func readPodFolder(_ name: ByteSlice, isInFolder: Bool, _ facts: inout OwnerFacts) -> Bool {
    guard let first = name.firstIndex(of: 0x5f), let second = name.firstIndex(of: 0x5f, from: first + 1),
      first > 0, second > first + 1
    else { return false }
    let uid = name.dropFirst(second + 1)
    let isUID = (uid.count == 36 || uid.count == 32) && OwnerID.length(uid, at: 0) == uid.count
    guard isInFolder || isUID else { return false }
    facts.namespace = name.prefix(first)
    facts.pod = name.slice(first + 1, second)
    return true
  }
}

extension ByteSlice {
  /// The last part of a path, and what is before the slash in front of it.
  fileprivate var lastPart: (rest: ByteSlice, part: ByteSlice) {
    guard let slash = lastIndex(of: 0x2f) else { return (.empty, self) }
    return (prefix(slash), dropFirst(slash + 1))
  }
}
