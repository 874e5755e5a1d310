import Glibc
import System

/// Finds the segments that an earlier run left. Nothing is truncated, emptied or overwritten: damaged and torn records
/// are skipped when they are read.
enum SpoolRecovery {
  struct Found {
    var segments: [Spool.Segment] = []
    /// Bytes of records that were not written whole.
    var tornBytes = 0
    /// Names of files that are not a segment of any version and were moved aside.
    var unknown: [String] = []
    /// The spool's secret, from its file or from a segment.
    var key: SpoolKey?
  }

  /// Refuses files of a later version by name, before anything is written.
  static func refuseNewer(in directory: SpoolDirectory) throws(SpoolFailure) {
    for name in try SpoolFailure.from({ () throws(SystemCallError) in try directory.names() }).sorted() {
      let kind: SpoolHeader.Kind? =
        name == SpoolDirectory.keyName
        ? .key : SpoolFormat.segment(fileName: name) != nil ? .segment : nil
      if let kind, case .newer(let version) = SpoolHeader.read((try? head(name, directory)) ?? [], kind) {
        throw .newer(file: directory.path(name), version: version, known: kind == .key ? "2" : "1 and 2")
      }
      if name.hasSuffix(PositionFile.suffix), let version = PositionFile.newerVersion(name, in: directory) {
        throw .newer(file: directory.path(name), version: version, known: "1 and 2")
      }
    }
    for folder in ["set-aside", "set-aside/resend"] {
      for name in (try? DirectoryListing.names(in: directory.path(folder))) ?? [] {
        guard SpoolFormat.segment(fileName: name) != nil,
          let head = try? head("\(folder)/\(name)", directory),
          case .newer(let version) = SpoolHeader.read(head, .segment)
        else { continue }
        throw .newer(file: directory.path("\(folder)/\(name)"), version: version, known: "2")
      }
    }
  }

  /// The secret in the key file; nil if there is none, or the file is too damaged.
  static func key(in directory: SpoolDirectory) -> SpoolKey? {
    guard let head = try? head(SpoolDirectory.keyName, directory),
      case .key(let key) = SpoolHeader.read(head, .key)
    else { return nil }
    return key
  }

  static func segments(in directory: SpoolDirectory) throws(SystemCallError) -> Found {
    let known = key(in: directory)
    var found = Found()
    let numbers = try directory.names().compactMap(SpoolFormat.segment(fileName:)).sorted()
    var readings: [SpoolHeader.Reading] = []
    var keys = known.map { [$0] } ?? []
    for number in numbers {
      let reading = SpoolHeader.read(
        try head(SpoolFormat.fileName(number), directory), .segment, known: known)
      if case .key(let own) = reading, !keys.contains(own) { keys.append(own) }
      readings.append(reading)
    }
    found.key = known ?? keys.last
    for (number, reading) in zip(numbers, readings) { try add(number, reading, keys, directory, &found) }
    return found
  }

  private static func head(_ name: String, _ directory: SpoolDirectory) throws(SystemCallError) -> [UInt8] {
    let file = try directory.open(name, O_RDONLY)
    return try file.bytes(at: 0, count: SpoolHeader.bytes, subject: directory.path(name))
  }

  /// Counts the records of a segment.
  private static func add(
    _ number: UInt64, _ reading: SpoolHeader.Reading, _ keys: [SpoolKey], _ directory: SpoolDirectory,
    _ found: inout Found
  ) throws(SystemCallError) {
    let name = SpoolFormat.fileName(number)
    let file = OpenFile(try directory.open(name, O_RDONLY))
    let size = Int(try file.file.status(directory.path(name)).st_size)
    guard let framing = try framing(reading, keys, file, size, directory.path(name)) else {
      let head = try file.bytes(at: 0, min(size, SpoolHeader.bytes), directory.path(name))
      if SpoolHeader.isBeginning(head, of: found.key), size < SpoolHeader.bytes {
        directory.remove(name)
      } else {
        directory.rename(name, SpoolDirectory.asideName(name))
        found.unknown.append(name)
      }
      return
    }
    let reader = SegmentReader(
      file: file, segment: number, framing: framing, path: directory.path(name))
    let survey = try reader.survey(from: framing.headerBytes, upTo: size)
    found.tornBytes += survey.tornBytes
    guard survey.records > 0 || survey.isDamaged else {
      directory.remove(name)
      return
    }
    found.segments.append(
      Spool.Segment(
        number: number, size: size, records: survey.records, framing: framing, isDamaged: survey.isDamaged))
  }

  /// Of a file whose header tells nothing, whichever has records in it.
  static func framing(
    _ reading: SpoolHeader.Reading, _ keys: [SpoolKey], _ file: OpenFile, _ size: Int, _ path: String
  ) throws(SystemCallError) -> SegmentFraming? {
    switch reading {
    case .key(let key): return .version2(key)
    case .version1: return .version1
    case .newer: return nil
    case .unknown: break
    }
    for key in keys {
      let reader = SegmentReader(file: file, segment: 0, framing: .version2(key), path: path)
      if try reader.survey(from: SpoolHeader.bytes, upTo: size).records > 0 { return .version2(key) }
    }
    let first = SegmentReader(file: file, segment: 0, framing: .version1, path: path)
    let item = try first.next(
      at: SpoolFormat.headerBytes, upTo: size, records: 1, bytes: SegmentReader.windowBytes)
    if case .records = item { return .version1 }
    return nil
  }
}
