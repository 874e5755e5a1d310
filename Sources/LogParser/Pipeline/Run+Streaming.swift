import Basics
import Glibc

extension Run {
  /// Writes each record as soon as none that comes before it can follow: at once, or when the reorder window has passed.
  func stream<F: RecordFormatter>(_ formatter: F, _ inputs: InputList) throws(Failure) {
    var source = try RecordSource(
      options, diagnostics, inputs, isFollowed: options.follows, tally: tally, merges: true)
    var writer = StreamWriter(formatter, inputs.names, try openTarget(), isFollowed: options.follows)
    var window = ReorderWindow(
      nanoseconds: options.reorderWindow ?? 0, dropsDuplicates: options.dropsDuplicates,
      merges: inputs.items.count > 1)
    var cursor = CursorNotes(path: options.journal?.cursorFile)
    defer {
      statistics.add(source.statistics)
      statistics.duplicates += window.duplicates
      statistics.late += window.late
    }
    var record = Record()
    var count: UInt64 = 0
    try attempt { () throws(SystemCallError) in try writer.begin() }
    reading: while !writer.isClosedByReader {
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
          if cursor.isDue(window), let place = source.cursor() {
            try writer.flush()
            try cursor.note(place, window)
          }
        } catch {
          throw .message(error.description)
        }
      case .waits:
        do throws(SystemCallError) {
          try writer.flush()
          if cursor.isWanted, let place = source.cursor() { try cursor.noteAll(place, window) }
        } catch {
          throw .message(error.description)
        }
        if try !source.wait() { break reading }
      case .end: break reading
      }
    }
    try requireRecords(count, source.statistics)
    do throws(SystemCallError) {
      try window.drain { (due) throws(SystemCallError) in try writer.write(due) }
      let isComplete = !writer.isClosedByReader
      try writer.end()
      if cursor.isWanted, isComplete, let place = source.cursor() { try cursor.noteAll(place, window) }
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
}
