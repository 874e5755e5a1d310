import Bytes

/// A row of the event tables that `kubectl get events`, `kubectl events` and `kubectl describe` print.
///
/// A row is recognised by its own content, because the table's header is often missing: a type and an age are where
/// kubectl puts them.
///
/// - `[NAMESPACE   ]AGE   TYPE   REASON   OBJECT   MESSAGE`; with `-o wide` there are columns on both sides of the
///   message
/// - `  TYPE   REASON   AGE   FROM   MESSAGE`, of `kubectl describe`
enum KubernetesEventRow {
  static let detector = Detector(
    shape: "kubectl-events",
    firstBytes: "\t 0123456789<ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  ) { (line, context, record) throws(RecordProblem) in
    guard context.rules.readsLoggers else { return .passed }
    if let row = Row(line) {
      row.fill(&record, written: context.text.clock.reference, describedPod: context.describedPod)
      return .record
    }
    return isHead(line) ? .nothing : .passed
  }

  /// The header of a table, with only the names of its columns.
  private static func isHead(_ line: ByteSlice) -> Bool {
    var scanner = TextScanner(line)
    scanner.skipBlanks()
    if scanner.take("LAST SEEN ") { return takeAll(&scanner, ["TYPE", "REASON", "OBJECT"]) }
    if scanner.take("NAMESPACE "), case _ = scanner.skipBlanks(), scanner.take("LAST SEEN ") {
      return takeAll(&scanner, ["TYPE", "REASON", "OBJECT"])
    }
    return takeAll(&scanner, ["Type", "Reason", "Age", "From", "Message"])
      || takeAll(&scanner, ["----", "------", "----", "----", "-------"])
  }

  private static func takeAll(_ scanner: inout TextScanner, _ words: [StaticString]) -> Bool {
    var attempt = scanner
    for word in words {
      attempt.skipBlanks()
      guard let found = attempt.word(), found == word else { return false }
    }
    return true
  }

  /// The columns of a row.
  private struct Row {
    var namespace = ByteSlice.empty
    var type = ByteSlice.empty
    var reason = ByteSlice.empty
    /// `KIND/NAME`; empty if the table is that of one object.
    var object = ByteSlice.empty
    var message = ByteSlice.empty
    /// The component, followed by the host if kubectl prints one: `kubelet, node1`.
    var source = ByteSlice.empty
    /// `spec.containers{NAME}`.
    var part = ByteSlice.empty
    var age: EventAge
    /// The age and the count, as written.
    var ageText = ByteSlice.empty
    var count = ByteSlice.empty

    init?(_ line: ByteSlice) {
      // Nearly every other line has neither word.
      guard line.range(of: "Normal") != nil || line.range(of: "Warning") != nil else { return nil }
      var scanner = TextScanner(line)
      scanner.skipBlanks()
      if let type = KubernetesEventRow.type(&scanner) {
        self.init(described: &scanner, type)
      } else {
        self.init(listed: &scanner)
      }
    }

    /// A row of `kubectl describe`, after its type.
    private init?(described scanner: inout TextScanner, _ type: ByteSlice) {
      let gap = scanner.gap()
      guard gap > 0, let reason = scanner.word(), isReason(reason), scanner.gap() > 0 else { return nil }
      let start = scanner.index
      guard let age = EventAge.take(&scanner), case let end = scanner.index else { return nil }
      self.type = type
      self.reason = reason
      self.age = age
      takeCount(&scanner)
      ageText = scanner.text.slice(start, max(end, scanner.index)).trimmed
      guard scanner.gap() > 0, !scanner.isAtEnd else { return nil }
      takeSource(&scanner, isAligned: gap > 1)
      message = scanner.rest.trimmed
      if message.isEmpty { return nil }
    }

    /// A row of a list.
    private init?(listed scanner: inout TextScanner) {
      var start = scanner.index
      var first = EventAge.take(&scanner)
      if first == nil, let word = scanner.word(), isName(word), scanner.gap() > 0 {
        namespace = word
        start = scanner.index
        first = EventAge.take(&scanner)
      }
      guard let age = first else { return nil }
      self.age = age
      takeCount(&scanner)
      ageText = scanner.text.slice(start, scanner.index).trimmed
      guard scanner.gap() > 0, let type = KubernetesEventRow.type(&scanner), scanner.gap() > 0,
        let reason = scanner.word(), isReason(reason), scanner.gap() > 0,
        let object = scanner.word(), isObject(object), scanner.gap() > 0 || scanner.isAtEnd
      else { return nil }
      self.type = type
      self.reason = reason
      self.object = object
      message = scanner.rest.trimmed
      takeWideColumns()
    }

    /// `(x4 over 46s)`.
    private mutating func takeCount(_ scanner: inout TextScanner) {
      var attempt = scanner
      let start = attempt.index + 3
      guard attempt.take(" (x"), attempt.number(1, 9) != nil, case let end = attempt.index,
        attempt.take(" over "), EventAge.take(&attempt) != nil, attempt.take(UInt8(ascii: ")"))
      else { return }
      count = scanner.text.slice(start, end)
      scanner = attempt
    }

    /// The component, which an aligned table may lack: a single blank is part of a column.
    private mutating func takeSource(_ scanner: inout TextScanner, isAligned: Bool) {
      var attempt = scanner
      guard var word = attempt.word() else { return }
      let start = scanner.index
      if word.hasSuffix(","), attempt.take(UInt8(ascii: " ")), attempt.word() != nil {
        word = scanner.text.slice(start, attempt.index)
      }
      let gap = attempt.gap()
      guard gap > (isAligned ? 1 : 0), !attempt.isAtEnd else { return }
      source = word
      scanner = attempt
    }

    /// `SUBOBJECT SOURCE MESSAGE FIRST SEEN COUNT NAME`, if all of these are present.
    private mutating func takeWideColumns() {
      guard let (rest, name) = message.lastColumn, name.contains(UInt8(ascii: ".")),
        let (before, times) = rest.lastColumn, DecimalNumber.parse(times) != nil,
        let (middle, first) = before.lastColumn
      else { return }
      var age = TextScanner(first)
      guard EventAge.take(&age) != nil, age.isAtEnd else { return }
      var scanner = TextScanner(middle)
      if middle.hasPrefix("spec."), let word = scanner.word(), scanner.gap() > 1 { part = word }
      takeSource(&scanner, isAligned: true)
      message = scanner.rest.trimmed
      count = times
    }

    func fill(_ record: inout Record, written: Timestamp, describedPod: DescribedPod) {
      if let seconds = age.seconds {
        record.time = Timestamp(
          seconds: written.seconds - seconds, offsetMinutes: written.offsetMinutes)
        record.time.inferred = .age
      }
      record.level = type == "Warning" ? LevelName.warning : LevelName.info
      record.message = message
      let comma = source.firstIndex(of: UInt8(ascii: ","))
      record.name = source.prefix(comma ?? source.count)
      if let comma { record.setField("host", source.dropFirst(comma + 1).trimmed) }
      record.setField("reason", reason)
      record.setField("age", ageText)
      if !count.isEmpty { record.setField("count", count) }
      addObject(&record, describedPod)
      record.fields.sortKeepingLast()
    }

    private func addObject(_ record: inout Record, _ describedPod: DescribedPod) {
      if object.isEmpty {
        guard describedPod.isPod else { return }
        record.setField("pod", record.arena.copy(describedPod.name))
        record.setField("pod_namespace", record.arena.copy(describedPod.namespace))
        return
      }
      let slash = object.firstIndex(of: UInt8(ascii: "/")) ?? 0
      let kind = object.prefix(slash)
      let isPod = kind == "pod" || kind == "Pod"
      if isPod {
        record.setField("pod", object.dropFirst(slash + 1))
      } else {
        record.setField("object_kind", kind)
        record.setField("object_name", object.dropFirst(slash + 1))
      }
      if !namespace.isEmpty {
        record.setField(isPod ? "pod_namespace" : "object_namespace", namespace)
      }
      if let open = part.firstIndex(of: UInt8(ascii: "{")), part.hasSuffix("}") {
        record.setField("container_name", part.slice(open + 1, part.count - 1))
      }
    }
  }

  private static func type(_ scanner: inout TextScanner) -> ByteSlice? {
    var attempt = scanner
    guard let word = attempt.word(), word == "Normal" || word == "Warning" else { return nil }
    scanner = attempt
    return word
  }

  /// A word in camel case, as controllers write it.
  private static func isReason(_ word: ByteSlice) -> Bool {
    guard let first = word.bytes.first, first.isUpper else { return false }
    for byte in word.bytes where !byte.isWordByte { return false }
    return true
  }

  private static func isName(_ word: ByteSlice) -> Bool {
    guard word.count <= 63 else { return false }
    for byte in word.bytes where !byte.isLetter && !byte.isDigit && byte != UInt8(ascii: "-") { return false }
    return true
  }

  private static func isObject(_ word: ByteSlice) -> Bool {
    guard let slash = word.firstIndex(of: UInt8(ascii: "/")), slash > 0, slash + 1 < word.count else {
      return false
    }
    for byte in word.prefix(slash).bytes where !byte.isLetter && byte != UInt8(ascii: ".") { return false }
    return true
  }
}

/// How long ago something was, as kubectl rounds it: `9s`, `2m10s`, `3h5m`, `5d`, `2y40d`; it may be unknown.
struct EventAge {
  /// Nil if kubectl says that the age is unknown.
  let seconds: Int64?

  static func take(_ scanner: inout TextScanner) -> EventAge? {
    var attempt = scanner
    if attempt.take("<unknown>") || attempt.take("<invalid>") {
      scanner = attempt
      return EventAge(seconds: nil)
    }
    var total: Int64 = 0
    var parts = 0
    while parts < 3, let number = attempt.number(1, 6), let unit = attempt.next, let length = length(unit) {
      attempt.skip(1)
      total += Int64(number) * length
      parts += 1
    }
    // If a letter or digit follows, it is a word.
    guard parts > 0, attempt.next.map({ !$0.isWordByte }) ?? true else { return nil }
    scanner = attempt
    return EventAge(seconds: total)
  }

  private static func length(_ unit: UInt8) -> Int64? {
    switch unit {
    case UInt8(ascii: "s"): 1
    case UInt8(ascii: "m"): 60
    case UInt8(ascii: "h"): 3600
    case UInt8(ascii: "d"): 86_400
    case UInt8(ascii: "y"): 365 * 86_400
    default: nil
    }
  }
}

extension TextScanner {
  /// Skips blanks and returns their width: a tab counts as two.
  fileprivate mutating func gap() -> Int {
    var width = 0
    while let byte = next, byte == 0x20 || byte == 0x09 {
      width += byte == 0x09 ? 2 : 1
      skip(1)
    }
    return width
  }
}

extension ByteSlice {
  /// The text after the last two blanks, and the text before them.
  fileprivate var lastColumn: (rest: ByteSlice, column: ByteSlice)? {
    guard let blank = lastIndex(of: 0x20), blank > 0, self[blank - 1] == 0x20, blank + 1 < count else {
      return nil
    }
    return (prefix(blank).trimmed, dropFirst(blank + 1))
  }
}
