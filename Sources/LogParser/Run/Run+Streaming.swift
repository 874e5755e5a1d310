import Glibc
import System

extension Run {
  /// Writes each record as soon as no earlier one can follow: at once, or when the reorder window has
  /// passed.
  ///
  /// - Parameter isInOrder: whether each input is in order, so that nothing has to wait.
  func stream<F: RecordFormatter>(
    _ formatter: F, _ inputs: InputList, isInOrder: Bool
  ) throws(Failure) {
    var source = try RecordSource(
      options, diagnostics, inputs, isFollowed: options.follows, tally: tally, attribution: attribution,
      streams: true, isInOrder: isInOrder)
    var writer = StreamWriter(
      formatter, inputs.names, try openTarget(), isFollowed: options.follows, stop: source.stopDescriptor)
    var window = ReorderWindow(
      nanoseconds: options.reorderWindow ?? 0, dropsDuplicates: options.dropsDuplicates,
      merges: !isInOrder && !options.follows && inputs.items.count > 1)
    var cursor = CursorNotes(path: options.journal?.cursorFile, reader: writer.reader)
    defer {
      statistics.add(source.statistics)
      statistics.duplicates += window.duplicates
      statistics.late += window.late
    }
    var idle = IdleTime(nanoseconds: options.reorderWindow ?? 0)
    var record = Record()
    var count: UInt64 = 0
    var isStopped = false
    try attempt { () throws(SystemCallError) in try writer.begin() }
    reading: while !writer.isClosed {
      let step: RecordSource.Step
      do throws(Failure) {
        step = try source.next(into: &record)
      } catch {
        // Accepted records are written before the run ends.
        try attempt { () throws(SystemCallError) in
          try window.drain { (due) throws(SystemCallError) in try writer.write(due) }
          try writer.flush()
        }
        throw error
      }
      switch step {
      case .record:
        count += 1
        idle.end()
        if count % 4096 == 0, !options.follows { diagnostics.progress("\(count) records read") }
        do throws(SystemCallError) {
          try window.add(&record, horizon: source.horizon) { (due) throws(SystemCallError) in
            try writer.write(due)
          }
          if options.follows, cursor.isDue() {
            try settle(&cursor, &source, window, &writer)
            cursor.pause(orStop: source.stopDescriptor)
            try settle(&cursor, &source, window, &writer)
          }
        } catch {
          throw .message(error.description)
        }
      case .waits:
        var patience: Int32 = -1
        do throws(SystemCallError) {
          if options.follows, !window.isEmpty {
            patience = idle.left
            if patience == 0 {
              try window.drain { (due) throws(SystemCallError) in try writer.write(due) }
              patience = -1
            }
          }
          try writer.flush()
          try settle(&cursor, &source, window, &writer)
        } catch {
          throw .message(error.description)
        }
        switch try source.wait(IdleTime.shorter(patience, cursor.patience)) {
        case .mayHaveMore: break
        case .stopped:
          isStopped = true
          break reading
        case .end: break reading
        }
      case .end: break reading
      }
    }
    try requireRecords(count, source.statistics)
    do throws(SystemCallError) {
      try window.drain { (due) throws(SystemCallError) in try writer.write(due) }
      try writer.end()
      if let place = source.cursor() { cursor.reach(place, window) }
      if !cursor.isWanted {
        try writer.finish()
      } else if isStopped, writer.reader.isWatched {
        // The signal that ended the run is consumed, so that another one ends the wait for the reader.
        source.takeSignal()
        if writer.reader.confirms(orStop: source.stopDescriptor) {
          try cursor.noteEverything()
        } else {
          // Records that the reader did not confirm are written again by the next run.
          try cursor.settle { () throws(SystemCallError) in }
        }
        try writer.finish()
      } else if try writer.deliver() {
        try cursor.noteEverything()
      }
    } catch {
      throw .message(error.description)
    }
    if source.statistics.late > 0 {
      diagnostics.warning(
        "\(source.statistics.late) records are out of order: their file was written to while it was read; run again to sort them"
      )
    }
    if window.late > 0 {
      let remedy =
        window.hasOverflowed
        ? "it holds \(ReorderWindow.byteLimit >> 20) MiB at most, so leave out --reorder-window to sort them"
        : "widen --reorder-window"
      diagnostics.warning(
        "\(window.late) records were later than the reorder window allows and were written where they arrived; \(remedy)"
      )
    }
  }

  /// Saves how far the journal has been written, if that can be known during the run.
  private func settle<F: RecordFormatter>(
    _ cursor: inout CursorNotes, _ source: inout RecordSource, _ window: borrowing ReorderWindow,
    _ writer: inout StreamWriter<F>
  ) throws(SystemCallError) {
    guard cursor.isWanted, writer.isVisible, let place = source.cursor() else { return }
    try writer.flush()
    cursor.reach(place, window)
    try cursor.settle { () throws(SystemCallError) in try writer.sync() }
  }
}

/// How long a followed input has been idle: after the time of the reorder window, waiting records are written.
private struct IdleTime {
  private let limit: UInt64
  private var start: UInt64?

  init(nanoseconds: Int64) { limit = UInt64(max(0, nanoseconds)) }

  /// Notes that a record arrived.
  mutating func end() { start = nil }

  /// The remaining milliseconds, counted from the first call after a record.
  var left: Int32 {
    mutating get {
      let now = MonotonicClock.nanoseconds
      let start = self.start ?? now
      self.start = start
      let passed = now - min(now, start)
      return passed >= limit ? 0 : Int32(clamping: (limit - passed + 999_999) / 1_000_000)
    }
  }

  /// The shorter of two wait times, where negative means no limit.
  static func shorter(_ one: Int32, _ other: Int32) -> Int32 {
    if one < 0 || other < 0 { return max(one, other) }
    return min(one, other)
  }
}
