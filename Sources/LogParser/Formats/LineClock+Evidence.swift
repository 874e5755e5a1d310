import Bytes

/// The year of lines that say none, from lines of the same input that carry a record which says it: a journal that was
/// exported last year, copied today, has many of them.
extension LineClock {
  /// Whether two times cannot be of one moment, but may be of the same day in different years.
  @inline(__always)
  static func areYearsApart(_ first: Timestamp, _ second: Timestamp) -> Bool {
    (first.seconds - second.seconds).magnitude > 300 * 86_400
  }

  /// Learns the year from a line whose carrier has only a stamp without one.
  ///
  /// - Parameters:
  ///   - time: the record's own time.
  ///   - stamp: what the stamp was taken for. Only one of the same day can be its year's.
  /// - Returns: whether it is.
  @discardableResult
  func learn(from time: Timestamp, stamped stamp: Timestamp) -> Bool {
    let own = CivilDate(daysSince1970: time.seconds / 86_400)
    let taken = CivilDate(daysSince1970: stamp.seconds / 86_400)
    guard Self.isSameDay(own, taken, in: taken.year) else { return false }
    evidence = time
    return true
  }

  /// Looks for the year in the lines that come next, before the first line is read.
  func learn(fromLines text: ByteSlice) {
    var rest = text
    for _ in 0..<Self.lineLimit where evidence == nil && !rest.isEmpty {
      let end = rest.firstIndex(of: 0x0a) ?? rest.count
      learn(fromLine: rest.prefix(end))
      rest = rest.dropFirst(end + 1)
    }
  }

  /// So many lines are looked at.
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

  /// Whether two dates are of one day, or of neighbouring ones, as those of two zones may be, but for their years.
  private static func isSameDay(_ first: CivilDate, _ second: CivilDate, in year: Int) -> Bool {
    let one = CivilDate(year: year, month: first.month, day: first.day).daysSince1970
    let other = CivilDate(year: year, month: second.month, day: second.day).daysSince1970
    return (one - other).magnitude <= 1
  }
}
