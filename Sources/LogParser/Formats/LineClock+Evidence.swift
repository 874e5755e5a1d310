import Bytes

/// The year of lines that do not state one, from lines of the same input that carry a record with a year: a journal
/// that was exported last year and copied today has many of them.
extension LineClock {
  /// Whether two times cannot be the same moment, but may be the same day in different years.
  @inline(__always)
  static func areYearsApart(_ first: Timestamp, _ second: Timestamp) -> Bool {
    (first.seconds - second.seconds).magnitude > 300 * 86_400
  }

  /// Learns the year from a line whose carrier has only a stamp without one.
  ///
  /// - Parameters:
  ///   - time: the record's own time.
  ///   - stamp: how the stamp was read. Only a record of the same day can tell the stamp's year.
  /// - Returns: whether it is.
  @discardableResult
  func learn(from time: Timestamp, stamped stamp: Timestamp) -> Bool {
    let own = CivilDate(daysSince1970: time.seconds / 86_400)
    let taken = CivilDate(daysSince1970: stamp.seconds / 86_400)
    guard Self.isSameDay(own, taken, in: taken.year) else { return false }
    evidence = time
    return true
  }

  /// Searches the following lines for the year, before the first line is read.
  func learn(fromLines text: ByteSlice) {
    var rest = text
    for _ in 0..<Self.lineLimit where evidence == nil && !rest.isEmpty {
      let end = rest.firstIndex(of: 0x0a) ?? rest.count
      learn(fromLine: rest.prefix(end))
      rest = rest.dropFirst(end + 1)
    }
  }

  /// The most lines that are searched.
  private static let lineLimit = 512

  private func learn(fromLine line: ByteSlice) {
    guard let place = line.range(of: ": time=\""), place < 256 else { return }
    var stamp = TextScanner(line)
    guard let month = takeMonth(&stamp), let day = stamp.number(1, 2) else { return }
    var scanner = TextScanner(line.dropFirst(place + 8))
    guard let time = scanner.anyTime() else { return }
    let own = CivilDate(daysSince1970: time.seconds / 86_400)
    let taken = CivilDate(year: own.year, month: month, day: day)
    if Self.isSameDay(own, taken, in: own.year) { evidence = time }
  }

  /// Whether two dates, ignoring the year, are the same day or neighbouring days, as they may be in two zones.
  private static func isSameDay(_ first: CivilDate, _ second: CivilDate, in year: Int) -> Bool {
    let one = CivilDate(year: year, month: first.month, day: first.day).daysSince1970
    let other = CivilDate(year: year, month: second.month, day: second.day).daysSince1970
    return (one - other).magnitude <= 1
  }
}
