import Bytes

/// The pod in the output of `kubectl describe pod`, collected line by line, because the events at its end do not name
/// it.
///
/// Other objects have a name and a namespace, too; only a pod has a node.
struct DescribedPod {
  /// The longest name in Kubernetes.
  private static let nameLimit = 253

  private(set) var name: [UInt8] = []
  private(set) var namespace: [UInt8] = []
  private(set) var isPod = false

  /// Reads a line that has no known format and begins with `N`.
  mutating func note(_ line: ByteSlice) {
    if let value = Self.value(of: "Name:", line) {
      name = value
      namespace = []
      isPod = false
    } else if let value = Self.value(of: "Namespace:", line) {
      namespace = value
    } else if Self.value(of: "Node:", line) != nil {
      isPod = !name.isEmpty && !namespace.isEmpty
    }
  }

  private static func value(of key: StaticString, _ line: ByteSlice) -> [UInt8]? {
    guard line.hasPrefix(key) else { return nil }
    let value = line.dropFirst(key.utf8CodeUnitCount).trimmed
    return value.isEmpty || value.count > nameLimit ? nil : Array(value.bytes)
  }
}
