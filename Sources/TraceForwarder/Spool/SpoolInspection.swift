import Glibc
import System

/// The contents of a spool's directory, read without a lock and without changes, even while a forwarder uses it.
struct SpoolInspection {
  /// A segment, or a file of spans that were set aside.
  struct File {
    var path: String
    var number: UInt64
    var size: Int
    /// Nil when it is not a segment of any known version.
    var framing: SegmentFraming?
    /// Why it was not read.
    var problem: String?
    var survey = SegmentSurvey()
  }

  struct Exporter {
    var name: String
    var reading: PositionFile.Reading
    var waiting: (spans: Int, bytes: Int)
  }

  /// Spans that were set aside for the same reason.
  struct Refusal: Hashable {
    var exporter: String
    var status: Int
    var reason: String
  }

  private static let maximumRefusals = 1000

  let directory: SpoolDirectory
  let key: SpoolKey?
  private(set) var segments: [File] = []
  private(set) var setAside: [File] = []
  /// Files that wait to be delivered again.
  private(set) var resent: [File] = []
  private(set) var exporters: [Exporter] = []
  private(set) var refusals: [Refusal: Int] = [:]
  /// What is wrong with other files, by their path.
  private(set) var problems: [(path: String, problem: String)] = []

  init(_ path: String) throws(SystemCallError) {
    directory = try SpoolDirectory(readOnly: path)
    let numbers = Self.numbers(directory)
    var key = SpoolRecovery.key(in: directory)
    if key == nil, let last = numbers.last { key = Self.key(of: last, in: directory) }
    self.key = key
    segments = Self.files(directory, key)
    if let aside = try? SpoolDirectory(readOnly: "\(path)/set-aside") { setAside = Self.files(aside, key) }
    if let resend = try? SpoolDirectory(readOnly: "\(path)/set-aside/resend") {
      resent = Self.files(resend, key)
    }
    try readKeyAndPositions()
    for file in setAside { summarize(file) }
  }

  private static func numbers(_ directory: SpoolDirectory) -> [UInt64] {
    ((try? directory.names()) ?? []).compactMap(SpoolFormat.segment(fileName:)).sorted()
  }

  private static func key(of number: UInt64, in directory: SpoolDirectory) -> SpoolKey? {
    let name = SpoolFormat.fileName(number)
    guard let file = try? directory.open(name, O_RDONLY),
      let head = try? file.bytes(at: 0, count: SpoolHeader.bytes, subject: name),
      case .key(let key) = SpoolHeader.read(head, .segment)
    else { return nil }
    return key
  }

  private static func files(_ directory: SpoolDirectory, _ key: SpoolKey?) -> [File] {
    numbers(directory).compactMap { number in
      let name = SpoolFormat.fileName(number)
      var file = File(path: directory.path(name), number: number, size: 0)
      do throws(SystemCallError) {
        let opened = OpenFile(try directory.open(name, O_RDONLY))
        let status = try opened.file.status(file.path)
        guard status.isRegularFile else { throw SystemCallError("open", file.path, code: EINVAL) }
        file.size = Int(status.st_size)
        let head = try opened.bytes(at: 0, SpoolHeader.bytes, file.path)
        let reading = SpoolHeader.read(head, .segment, known: key)
        if case .newer(let version) = reading {
          file.problem = "it has format version \(version), which this version does not support"
          return file
        }
        let keys = key.map { [$0] } ?? []
        file.framing = try SpoolRecovery.framing(reading, keys, opened, file.size, file.path)
        guard let framing = file.framing else {
          if file.size >= SpoolHeader.bytes { file.problem = "it is not a segment of any version" }
          return file
        }
        let reader = SegmentReader(
          file: opened, segment: number, framing: framing, path: file.path)
        file.survey = try reader.survey(from: framing.headerBytes, upTo: file.size)
      } catch {
        // Delivered and deleted in between.
        if error.code == ENOENT { return nil }
        file.problem = error.description
      }
      return file
    }
  }

  private mutating func readKeyAndPositions() throws(SystemCallError) {
    let names = try directory.names().sorted()
    if names.contains(SpoolDirectory.keyName), SpoolRecovery.key(in: directory) == nil {
      problems.append((directory.path(SpoolDirectory.keyName), "the secret cannot be read"))
    }
    for name in names where name.hasSuffix(PositionFile.suffix) {
      let exporter = String(name.dropLast(PositionFile.suffix.count))
      if let version = PositionFile.newerVersion(name, in: directory) {
        problems.append(
          (directory.path(name), "it has format version \(version), which this version does not support"))
        continue
      }
      let reading = PositionFile.read(exporter, in: directory, key ?? SpoolKey(marker: 0, seed: 0))
      switch reading {
      case .damaged: problems.append((directory.path(name), "both lines are damaged"))
      case .unreadable(let error): problems.append((directory.path(name), error))
      case .missing, .position, .unchecked: break
      }
      exporters.append(Exporter(name: exporter, reading: reading, waiting: waiting(reading)))
    }
  }

  private func waiting(_ reading: PositionFile.Reading) -> (spans: Int, bytes: Int) {
    let position: SpoolPosition
    switch reading {
    case .position(let place), .unchecked(let place): position = place
    case .missing, .damaged, .unreadable: position = SpoolPosition(segment: 0, offset: 0)
    }
    var result = (spans: 0, bytes: 0)
    for file in segments where file.number >= position.segment {
      guard let framing = file.framing else { continue }
      if file.number > position.segment || position.offset <= framing.headerBytes {
        result.spans += file.survey.records
        result.bytes += file.size - framing.headerBytes
      } else if position.offset < file.size {
        result.bytes += file.size - position.offset
        result.spans += (try? survey(file, from: position.offset).records) ?? 0
      }
    }
    return result
  }

  private func survey(_ file: File, from offset: Int) throws(SystemCallError) -> SegmentSurvey {
    guard let framing = file.framing else { return SegmentSurvey() }
    let opened = try Self.open(file)
    let reader = SegmentReader(
      file: opened, segment: file.number, framing: framing, path: file.path)
    return try reader.survey(from: offset, upTo: file.size)
  }

  static func open(_ file: File) throws(SystemCallError) -> OpenFile {
    OpenFile(try FileDescriptor.open(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  }

  private mutating func summarize(_ file: File) {
    var refusals = refusals
    try? Self.visit(file) { _, payload in
      guard let record = SetAsideRecord(payload) else { return }
      let refusal = Refusal(exporter: record.exporter, status: record.status, reason: record.reason)
      if refusals[refusal] == nil, refusals.count >= Self.maximumRefusals { return }
      refusals[refusal, default: 0] += 1
    }
    self.refusals = refusals
  }

  /// Calls `body` with each good record's place and payload.
  static func visit(
    _ file: File, _ body: (Range<Int>, UnsafeRawBufferPointer) -> Void
  ) throws(SystemCallError) {
    guard let framing = file.framing else { return }
    let opened = try open(file)
    let reader = SegmentReader(
      file: opened, segment: file.number, framing: framing, path: file.path)
    var offset = framing.headerBytes
    while true {
      switch try reader.next(at: offset, upTo: file.size, records: 4096, bytes: SegmentReader.windowBytes) {
      case .end: return
      case .gap(let gap): offset = gap.range.upperBound
      case .records(let batch):
        for range in batch.payloads {
          let place = offset + range.lowerBound..<offset + range.upperBound
          batch.bytes.withPart(range) { body(place, $0) }
        }
        offset = batch.end.offset
      }
    }
  }
}
