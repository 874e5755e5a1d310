import Bytes

/// What the text of a message says about a sandbox, a container or a pod: for containerd, CRI-O, the kubelet and
/// others.
///
/// Programs change their sentences, but a keyword and the id after it stay, so no whole sentence is searched for.
enum OwnerPhrases {
  /// The most positions of a message that are checked for a word.
  private static let places = 16

  /// Fills in what is missing from the message.
  static func read(_ text: ByteSlice, into facts: inout OwnerFacts) {
    var from = 0
    // Most messages have none of the words: the rarest bytes of the words show that at once.
    var left = text.contains(0x78) ? places : 0
    while left > 0, let place = text.range(of: "andbox", from: from) {
      from = place + 6
      left -= 1
      readSandbox(text, at: from, &facts)
    }
    from = 0
    left = places
    while left > 0, let place = text.range(of: "ontainer", from: from) {
      from = place + 8
      left -= 1
      readContainer(text, at: from, &facts)
    }
    if facts.pod.isEmpty { readPod(text, &facts) }
  }

  /// Whether the message of a record that names no sandbox may contain anything that ``read(_:into:)`` or
  /// ``OwnerPaths`` search for.
  static func mayTell(_ text: ByteSlice) -> Bool {
    // Most messages have neither a quote, a parenthesis, a slash nor an x.
    text.contains(0x22, 0x28, 0x2f, 0x78) && hasMark(text) || text.range(of: "ontainer") != nil
      || text.hasPrefix("Got pod network ")
  }

  private static func hasMark(_ text: ByteSlice) -> Bool {
    text.contains(0x22, or: 0x28) || text.contains(0x2f) || text.range(of: "andbox") != nil
  }

  /// conmon begins its messages with the first digits of the container's id.
  static func readConmon(_ text: ByteSlice, into facts: inout OwnerFacts) {
    let start = text.hasPrefix("conmon ") ? 7 : 0
    let length = OwnerID.length(text, at: start, digits: 12)
    if length > 0, facts.container.isEmpty { facts.container = text.slice(start, start + length) }
  }

  private static func readSandbox(_ text: ByteSlice, at index: Int, _ facts: inout OwnerFacts) {
    let rest = text.dropFirst(index)
    if rest.hasPrefix("Metadata{") { return readMetadata(rest.dropFirst(9), &facts) }
    if rest.hasPrefix(" for name:") { return readMetadata(rest.dropFirst(5), &facts) }
    if rest.hasPrefix(" name ") { return readGeneratedName(text, at: index + 6, &facts) }
    if rest.hasPrefix("-") {
      // QEMU's `-name sandbox-ID`, with whatever quotes a program puts around its arguments.
      let isName = text.slice(index - 16, index).range(of: "-name") != nil
      let length = isName ? OwnerID.nameLength(text, at: index + 1) : OwnerID.length(text, at: index + 1)
      if length > 0, facts.sandbox.isEmpty { facts.sandbox = text.slice(index + 1, index + 1 + length) }
      return
    }
    let (start, isQuoted, hasColon) = skipConnector(text, at: index)
    var length = OwnerID.length(text, at: start)
    if length == 0, isQuoted {
      length = OwnerID.nameLength(text, at: start)
      if !isQuote(text.peek(start + length)) { length = 0 }
    }
    if length > 0 {
      if facts.sandbox.isEmpty { facts.sandbox = text.slice(start, start + length) }
    } else if hasColon {
      readReference(text, at: start, &facts)
    }
  }

  private static func readContainer(_ text: ByteSlice, at index: Int, _ facts: inout OwnerFacts) {
    let rest = text.dropFirst(index)
    if rest.hasPrefix("Metadata{") { return }
    if rest.hasPrefix(" name ") { return readGeneratedName(text, at: index + 6, &facts) }
    let (start, isQuoted, hasColon) = skipConnector(text, at: index)
    let length = OwnerID.length(text, at: start)
    if length > 0 {
      if facts.container.isEmpty { facts.container = text.slice(start, start + length) }
      // CRI-O: `container ID: NAMESPACE/POD/CONTAINER`.
      if text.dropFirst(start + length).hasPrefix(": ") {
        readReference(text, at: start + length + 2, &facts)
      }
    } else if hasColon {
      readReference(text, at: start, &facts)
    } else if isQuoted {
      readGeneratedName(text, at: start, &facts)
    }
  }

  /// Where the id after a word begins: after `ID`, `id`, ` for`, ` to stop`, a colon or an equals sign, blanks and a
  /// quote, in this order.
  private static func skipConnector(
    _ text: ByteSlice, at start: Int
  ) -> (start: Int, isQuoted: Bool, hasColon: Bool) {
    var index = start
    let first = text.peek(index)
    let isApart = first == 0x5f || first == 0x2d || first == 0x20
    let name = isApart ? index + 1 : index
    if text.peek(name) | 0x20 == 0x69, text.peek(name + 1) | 0x20 == 0x64,
      !OwnerID.isAlphanumeric(text.peek(name + 2))
    {
      index = name + 2
    } else if text.dropFirst(index).hasPrefix(" for ") {
      index += 4
    } else if text.dropFirst(index).hasPrefix(" to stop ") {
      index += 8
    }
    let sign = text.peek(index)
    let hasColon = sign == 0x3a || sign == 0x3d
    if hasColon { index += 1 }
    while text.peek(index) == 0x20 { index += 1 }
    if text.peek(index) == 0x5c { index += 1 }
    let isQuoted = isQuote(text.peek(index))
    return (isQuoted ? index + 1 : index, isQuoted, hasColon)
  }

  private static func isQuote(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x27 || byte == 0x5c }

  /// `Name:N,Uid:U,Namespace:NS,Attempt:A,` or `name:"N" uid:"U" namespace:"NS" attempt:A`.
  private static func readMetadata(_ text: ByteSlice, _ facts: inout OwnerFacts) {
    guard facts.pod.isEmpty else { return }
    let head = text.prefix(1024)
    guard let pod = value(of: "ame:", in: head) else { return }
    facts.pod = pod
    facts.namespace = value(of: "amespace:", in: head) ?? .empty
    facts.uid = value(of: "id:", in: head) ?? .empty
    facts.attempt = value(of: "ttempt:", in: head) ?? .empty
  }

  private static func value(of key: StaticString, in text: ByteSlice) -> ByteSlice? {
    guard let place = text.range(of: key) else { return nil }
    var start = place + key.utf8CodeUnitCount
    while text.peek(start) == 0x5c || text.peek(start) == 0x22 { start += 1 }
    let length = OwnerID.nameLength(text, at: start)
    return length > 0 ? text.slice(start, start + length) : nil
  }

  /// `POD_NAMESPACE_UID_ATTEMPT`, with a container's name before it or not. No name of Kubernetes has a `_`.
  private static func readGeneratedName(_ text: ByteSlice, at index: Int, _ facts: inout OwnerFacts) {
    guard facts.pod.isEmpty else { return }
    var start = index
    while isQuote(text.peek(start)) { start += 1 }
    var ends: [Int] = []
    var end = start
    while OwnerID.isNameByte(text.peek(end)), end - start < 512 {
      if text.peek(end) == 0x5f { ends.append(end) }
      end += 1
    }
    guard ends.count >= 3, ends.count <= 5 else { return }
    let (first, second, third) = (ends[ends.count - 3], ends[ends.count - 2], ends[ends.count - 1])
    let podStart = ends.count > 3 ? ends[ends.count - 4] + 1 : start
    guard first > podStart, second > first + 1, OwnerID.length(text, at: second + 1) == third - second - 1
    else {
      return
    }
    facts.pod = text.slice(podStart, first)
    facts.namespace = text.slice(first + 1, second)
    facts.uid = text.slice(second + 1, third)
    facts.attempt = text.slice(third + 1, end)
  }

  /// CRI-O's `NAMESPACE/POD/CONTAINER`.
  private static func readReference(_ text: ByteSlice, at start: Int, _ facts: inout OwnerFacts) {
    let length = OwnerID.nameLength(text, at: start)
    guard length > 0, text.peek(start + length) == 0x2f else { return }
    let pod = OwnerID.nameLength(text, at: start + length + 1)
    guard pod > 0, text.peek(start + length + 1 + pod) == 0x2f else { return }
    podReference(text, from: start, start + length, &facts)
  }

  /// Takes `NAMESPACE/POD`, of which the slash is known, unless a pod is known already.
  static func podReference(_ text: ByteSlice, from start: Int, _ slash: Int, _ facts: inout OwnerFacts) {
    let length = OwnerID.nameLength(text, at: slash + 1)
    let end = text.peek(slash + 1 + length)
    guard facts.pod.isEmpty, length > 0, end == 0 || end == 0x2f || isQuote(end) else { return }
    guard OwnerID.nameLength(text, at: start) == slash - start else { return }
    facts.namespace = text.slice(start, slash)
    facts.pod = text.slice(slash + 1, slash + 1 + length)
  }

  /// Names of pods that occur without the words above.
  private static func readPod(_ text: ByteSlice, _ facts: inout OwnerFacts) {
    if text.hasPrefix("Got pod network "), let brace = text.firstIndex(of: 0x7b) {
      let head = text.dropFirst(brace).prefix(1024)
      facts.pod = value(of: "Name:", in: head) ?? .empty
      facts.namespace = value(of: "Namespace:", in: head) ?? .empty
      if facts.sandbox.isEmpty, let id = value(of: " ID:", in: head) { facts.sandbox = id }
    } else if !facts.sandbox.isEmpty, let place = text.range(of: "hostname:") {
      facts.pod = value(of: "hostname:", in: text.dropFirst(place)) ?? .empty
    } else if text.contains(0x22), let place = text.range(of: " pod=\""),
      let slash = text.firstIndex(of: 0x2f, from: place + 6)
    {
      podReference(text, from: place + 6, slash, &facts)
    } else {
      readKubeletName(text, &facts)
    }
  }

  /// The kubelet's `POD_NAMESPACE(UID)`.
  private static func readKubeletName(_ text: ByteSlice, _ facts: inout OwnerFacts) {
    var from = 0
    for _ in 0..<places {
      guard let open = text.firstIndex(of: 0x28, from: from) else { return }
      from = open + 1
      let uid = OwnerID.length(text, at: open + 1)
      guard uid > 0, text.peek(open + 1 + uid) == 0x29 else { continue }
      var start = open
      while start > 0, open - start < 320, OwnerID.isNameByte(text.peek(start - 1)) { start -= 1 }
      let name = text.slice(start, open)
      guard let bar = name.firstIndex(of: 0x5f), bar > 0, bar + 1 < name.count else { continue }
      facts.pod = name.prefix(bar)
      facts.namespace = name.dropFirst(bar + 1)
      return
    }
  }
}
