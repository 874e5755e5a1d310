import Bytes
import Tracing

/// One trace as Jaeger's JSON: spans and processes, each encoded once on arrival.
///
/// Its text has one span per line, so that an existing file can be continued: a span that arrives again, as after a
/// crash, is recognised by its id and left out.
struct TraceDocument {
  let traceID: TraceID
  private var spans = [UInt8]()
  private var processes: [[UInt8]: Int] = [:]
  private var order: [[UInt8]] = []
  private var seen: Set<UInt64> = []
  /// Whether the span without a parent has come.
  private(set) var hasRoot = false

  init(_ traceID: TraceID) { self.traceID = traceID }

  var count: Int { seen.count }
  /// Bytes that it takes in memory, about.
  var size: Int { spans.count + seen.count * 32 + order.reduce(0) { $0 + 2 * $1.count } }

  /// Adds a span; false when it is there already.
  mutating func add(_ span: Span, defaultService: String, _ scratch: inout ByteWriter) -> Bool {
    guard seen.insert(span.spanID.value).inserted else { return false }
    scratch.removeAll()
    JaegerJSON.encodeProcess(of: span, defaultService: defaultService, to: &scratch)
    let number = processNumber(scratch.array)
    scratch.removeAll()
    JaegerJSON.encode(span, processNumber: number, to: &scratch)
    append(scratch.bytes)
    if span.parentID.isZero { hasRoot = true }
    return true
  }

  private mutating func append(_ line: UnsafeRawBufferPointer) {
    if !spans.isEmpty { spans += [0x2c, 0x0a] }
    spans.append(contentsOf: line)
  }

  private mutating func processNumber(_ process: [UInt8]) -> Int {
    if let number = processes[process] { return number }
    order.append(process)
    processes[process] = order.count
    return order.count
  }

  // MARK: Text

  private static let open = Array(",\"spans\":[\n".utf8)
  private static let middle = Array("\n],\"processes\":{\n".utf8)
  private static let close = Array("\n},\"warnings\":null}".utf8)
  static let envelopeStart = Array("{\"data\":[\n".utf8)
  static let envelopeEnd = Array("\n],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}\n".utf8)

  /// Appends the trace, without the envelope around it.
  func put(to out: inout ByteWriter) {
    out.put("{\"traceID\":\"")
    out.put(hex: traceID)
    out.put(0x22)
    out.put(Self.open)
    out.put(spans)
    out.put(Self.middle)
    for (index, process) in order.enumerated() {
      if index > 0 { out.put(",\n") }
      out.put("\"p")
      out.put(decimal: UInt64(index + 1))
      out.put("\":")
      out.put(process)
    }
    out.put(Self.close)
  }

  /// Reads a file that was written before; nil when it is not, whole, what ``put(to:)`` wrote of this trace within an
  /// envelope: spans are added to nothing else.
  init?(_ traceID: TraceID, file: [UInt8]) {
    self.init(traceID)
    var lines = file.split(separator: 0x0a, omittingEmptySubsequences: false)[...]
    let head = Array("{\"traceID\":\"\(traceID.description)\",\"spans\":[".utf8)
    guard lines.popFirst().map(Array.init) == Self.envelopeStart.dropLast(),
      lines.popFirst().map(Array.init) == head
    else { return nil }
    var hasMore = true
    while hasMore {
      guard let line = Self.item(&lines, &hasMore), line.first == 0x7b, line.last == 0x7d,
        let id = Self.spanID(line), seen.insert(id).inserted
      else { return nil }
      hasRoot = hasRoot || !Self.hasParent(line)
      line.withUnsafeBytes { append($0) }
    }
    guard lines.popFirst()?.elementsEqual("],\"processes\":{".utf8) == true else { return nil }
    hasMore = true
    while hasMore {
      let start = Array("\"p\(order.count + 1)\":".utf8)
      guard let line = Self.item(&lines, &hasMore), line.starts(with: start), line.last == 0x7d else {
        return nil
      }
      let process = Array(line.dropFirst(start.count))
      guard processes[process] == nil else { return nil }
      _ = processNumber(process)
    }
    let end = Self.close.dropFirst() + Self.envelopeEnd
    guard lines.joined(separator: [0x0a]).elementsEqual(end) else { return nil }
  }

  /// Reads a file that another program may have reformatted.
  init?(_ traceID: TraceID, reformatted file: [UInt8]) {
    if let document = TraceDocument(traceID, file: file) {
      self = document
    } else if let document = TraceDocument(traceID, file: Self.withOwnLines(file)) {
      self = document
    } else {
      return nil
    }
  }

  /// The same JSON without white space, but with line ends where ``put(to:)`` has them: around what the list of traces,
  /// the list of spans and the processes hold, and between the members of the last two.
  private static func withOwnLines(_ file: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(file.count)
    var depth = 0
    var isText = false
    var isEscape = false
    for byte in file {
      if isText {
        isText = isEscape || byte != UInt8(ascii: "\"")
        isEscape = !isEscape && byte == UInt8(ascii: "\\")
        out.append(byte)
        continue
      }
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): break
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        out.append(byte)
        if depth == 2 || depth == 4 { out.append(UInt8(ascii: "\n")) }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 2 || depth == 4 { out.append(UInt8(ascii: "\n")) }
        depth -= 1
        out.append(byte)
      case UInt8(ascii: ","):
        out.append(byte)
        if depth == 4 { out.append(UInt8(ascii: "\n")) }
      default:
        isText = byte == UInt8(ascii: "\"")
        out.append(byte)
      }
    }
    return out + [UInt8(ascii: "\n")]
  }

  /// The next line without the comma that says that another one follows.
  private static func item(
    _ lines: inout ArraySlice<ArraySlice<UInt8>>, _ hasMore: inout Bool
  ) -> ArraySlice<UInt8>? {
    guard let line = lines.popFirst() else { return nil }
    hasMore = line.last == 0x2c
    return hasMore ? line.dropLast() : line
  }

  private static let idStart = "{\"traceID\":\"".utf8.count + 32 + "\",\"spanID\":\"".utf8.count

  private static func spanID(_ line: ArraySlice<UInt8>) -> UInt64? {
    let digits = line.dropFirst(idStart).prefix(16)
    return digits.count == 16 ? UInt64(String(decoding: digits, as: UTF8.self), radix: 16) : nil
  }

  private static func hasParent(_ line: ArraySlice<UInt8>) -> Bool {
    // Our own encoder puts the parent first.
    guard let start = line.firstRange(of: Array("\"references\":[".utf8))?.upperBound else { return false }
    return line[start...].starts(with: "{\"refType\":\"CHILD_OF\"".utf8)
  }
}
