import Bytes

/// The origin of a record: `source/name[pid]`, as short as possible without becoming ambiguous.
///
/// A name that adds nothing to the source is left out, and the other way round; containerd's shim, whose long name
/// differs by version, is `shim`. An origin that is still longer than its column pushes the message to the right.
struct PrettyOrigin {
  /// The maximum number of characters shown of a name; no component has a longer one.
  private static let longest = 64

  let source: ByteSlice
  let name: ByteSlice
  let isShim: Bool
  let pid: Int

  @inline(__always)
  init(_ record: borrowing Record, hidesPid: Bool) {
    pid = hidesPid ? 0 : record.pid
    let isShim = Self.isShim(record.name)
    self.isShim = isShim
    if record.source.isEmpty {
      source = record.source
      name = record.name
    } else if isShim {
      source = record.source == "containerd-kata-shim-v2" ? .empty : record.source
      name = record.name
    } else {
      // kata-agent/agent, kata-runtime/runtime, and repeated words.
      let isSaid = record.name.count == record.source.count + 5 && record.name.hasPrefix("kata-")
      let rest = isSaid ? record.name.dropFirst(5) : record.name
      source = rest.equals(record.source) ? .empty : record.source
      name = record.name
    }
  }

  @inline(__always)
  private static func isShim(_ name: ByteSlice) -> Bool {
    switch name.count {
    case 18: name == "containerd-shim-v2"
    case 23: name == "containerd-shim-kata-v2" || name == "containerd-kata-shim-v2"
    default: false
    }
  }

  /// Writes it, and returns its width.
  ///
  /// - Parameter width: the width that it should fit; 0 for any. To fit, the process id is left out first (see
  ///   ``hasPid(in:)``), then part of a well-known word.
  @inline(__always)
  func put(width: Int, _ out: inout OutputBuffer) -> Int {
    var line = PrettyLine(width: .max, indent: 0, column: 0, isColored: false)
    if !source.isEmpty {
      if width > 0, isShortened(for: width) {
        line.put("vc", &out)
        Self.put(source.dropFirst(14), &line, &out)
      } else {
        Self.put(source, &line, &out)
      }
      if !name.isEmpty { line.put("/", &out) }
    }
    if isShim { line.put("shim", &out) } else { Self.put(name, &line, &out) }
    if pid > 0, width == 0 || hasPid(in: width) {
      var cursor = out.cursor(reserving: 64)
      let start = cursor
      cursor.put(UInt8(ascii: "["))
      cursor.put(decimal: Int64(pid))
      cursor.put(UInt8(ascii: "]"))
      line.column += cursor.count(since: start)
      out.commit(cursor)
    }
    return line.column
  }

  /// Whether the process id is shown in a column of this width.
  func hasPid(in width: Int) -> Bool {
    if width == 0 { return true }
    let ofPid = OutputBuffer.Cursor.digits(of: UInt64(clamping: pid)) + 2
    return columnsOfNames - (isShortened(for: width) ? 12 : 0) + ofPid <= width
  }

  /// Whether the source is the runtime's library, and its name is too long for the width.
  private func isShortened(for width: Int) -> Bool {
    columnsOfNames > width && source.hasPrefix("virtcontainers")
      && (source.count == 14 || source[14] == UInt8(ascii: "/"))
  }

  private var columnsOfNames: Int {
    let ofName = isShim ? 4 : min(name.count, Self.longest)
    return ofName + (source.isEmpty ? 0 : min(source.count, Self.longest) + (name.isEmpty ? 0 : 1))
  }

  @inline(__always)
  private static func put(_ text: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    if text.count <= longest {
      line.put(text, &out)
    } else {
      putStart(text, &line, &out)
    }
  }

  /// Shortens an id, which the Rust runtime has as a source, to its first characters, and other long text less.
  @inline(never)
  private static func putStart(_ text: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    line.put(text.prefix(longest), &out)
    out.append("…")
    line.column += 1
  }
}
