import Glibc
import System

extension Run {
  /// Writes each record as soon as none that comes before it can follow: at once, or when the reorder window has passed.
  func stream<F: RecordFormatter>(_ formatter: F, _ inputs: InputList) throws(Failure) {
    var source = try RecordSource(
      options, diagnostics, inputs, isFollowed: options.follows, tally: tally, merges: true)
    var writer = StreamWriter(
      formatter, inputs.names, try openTarget(), isFollowed: options.follows, stop: source.stopDescriptor)
    var window = ReorderWindow(
      nanoseconds: options.reorderWindow ?? 0, dropsDuplicates: options.dropsDuplicates,
      merges: inputs.items.count > 1)
    var cursor = CursorNotes(path: options.journal?.cursorFile, reader: writer.reader)
    defer {
      statistics.add(source.statistics)
      statistics.duplicates += window.duplicates
      statistics.late += window.late
    }
    var record = Record()
    var count: UInt64 = 0
    var isStopped = false
    try attempt { () throws(SystemCallError) in try writer.begin() }
    reading: while !writer.isClosed {
      let step: RecordSource.Step
      do throws(Failure) {
        step = try source.next(into: &record)
      } catch {
        // What was accepted is written before the run ends.
        try attempt { () throws(SystemCallError) in
          try window.drain { (due) throws(SystemCallError) in try writer.write(due) }
          try writer.flush()
        }
        throw error
      }
      switch step {
      case .record:
        count += 1
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
        do throws(SystemCallError) {
          try writer.flush()
          try settle(&cursor, &source, window, &writer)
        } catch {
          throw .message(error.description)
        }
        switch try source.wait(cursor.patience) {
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
        if writer.reader.confirms() {
          try cursor.noteEverything()
        } else {
          // What the reader did not confirm comes again.
          try cursor.settle { () throws(SystemCallError) in }
        }
        try writer.finish()
      } else if try writer.deliver() {
        try cursor.noteEverything()
      }
    } catch {
      throw .message(error.description)
    }
    if window.late > 0 {
      let remedy =
        window.hasOverflowed
        ? "it holds \(ReorderWindow.byteLimit >> 20) MiB at most, so leave out --reorder-window to sort them"
        : "widen --reorder-window"
      diagnostics.warning(
        "\(window.late) records came later than the reorder window allows and stand where they came; \(remedy)"
      )
    }
  }
  /// Notes how far the journal has been written out, where that can be known while the run goes on.
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
