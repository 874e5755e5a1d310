import Bytes
import Glibc
import System

extension Run {
  /// Writes the records of a sorted file as they are read.
  func writeInOrder<F: RecordFormatter>(
    _ formatter: F, _ sorted: SortedFile, _ inputs: InputList
  ) throws(Failure) {
    let source = RenderSource(
      reader: LogfmtRecord(rules: options.rules), names: inputs.names, file: sorted.file,
      attribution: attribution, threads: options.threads)
    var segments = sorted.segments.makeIterator()
    _ = try write(formatter, source) { segments.next().map { .segment($0) } }
  }

  /// Writes the records of all inputs in order of time, after reading all of them.
  func writeSorted<F: RecordFormatter>(_ formatter: F, _ inputs: InputList) throws(Failure) {
    var records = SortBuffer(
      directory: options.temporaryDirectory, dropsDuplicates: options.dropsDuplicates)
    let cursor = try fill(&records, inputs)
    let jobs = records.takeJobs()
    let source = RenderSource(
      reader: LogfmtRecord(rules: options.rules), names: inputs.names,
      store: RenderSource.Store(records.takeStore()))
    let counted = statistics
    let isDelivered = try write(formatter, source) { jobs.next() }
    statistics = counted
    statistics.duplicates += jobs.duplicates
    if isDelivered, let cursor { try saveCursor(cursor) }
  }

  /// Saves how far the journal has been written.
  func saveCursor(_ cursor: String) throws(Failure) {
    guard let path = options.journal?.cursorFile else { return }
    try attempt { () throws(SystemCallError) in try CursorFile(path: path).write(cursor) }
  }

  /// Reads all inputs into the buffer, and returns the journal cursor of the last record.
  private func fill(_ records: inout SortBuffer, _ inputs: InputList) throws(Failure) -> String? {
    var source = try RecordSource(
      options, diagnostics, inputs, isFollowed: false, tally: tally, attribution: attribution)
    defer { statistics.add(source.statistics) }
    var record = Record()
    var count: UInt64 = 0
    while case .record = try source.next(into: &record) {
      count += 1
      if count % 4096 == 0 { diagnostics.progress("\(count) records read") }
      do throws(SystemCallError) {
        try records.append(record)
      } catch {
        throw .message(error.description)
      }
    }
    try requireRecords(count, source.statistics)
    return source.cursor()
  }

  /// Writes the pieces returned by `nextJob` as one document.
  ///
  /// - Returns: whether all of it is on disk or read by its reader. It waits for that only if a cursor will be saved.
  private func write<F: RecordFormatter>(
    _ formatter: F, _ source: RenderSource, _ nextJob: @escaping () -> RenderJob?
  ) throws(Failure) -> Bool {
    var target = try openTarget()
    var pending = OutputBuffer()
    formatter.begin(&pending)
    var count: UInt64 = 0
    var failure: Failure?
    var mending = OwnerMending(formatter, source)
    OrderedWork.run(
      threads: source.attribution == nil || source.rendersAhead ? options.threads : 1, nextJob: nextJob,
      makeWorker: { RecordRenderer(formatter, source, isAhead: source.rendersAhead) },
      perform: { job, worker, out in worker.render(job, &out) },
      consume: { result, out in
        do throws(SystemCallError) {
          var result = result
          let isMended = try mending?.mend(&result, out) ?? false
          count += result.statistics.records
          diagnostics.progress("\(count) records written")
          statistics.add(result.statistics)
          if let error = result.failure { throw error }
          if let (line, problem) = result.problem {
            failure = .record(problem, name: source.file?.name ?? "-", line: line)
            return false
          }
          if !pending.isEmpty {
            try target.write(pending.bytes)
            pending.removeAll()
          }
          if !isMended {
            try target.write(out.bytes)
          } else if let bytes = mending?.out.bytes {
            try target.write(bytes)
          }
        } catch {
          failure = .message(error.description)
          return false
        }
        return !target.isClosedByReader
      })
    if let failure { throw failure }
    formatter.end(&pending, count: count)
    do throws(SystemCallError) {
      try target.write(pending.bytes)
      if options.journal?.cursorFile != nil { return try target.deliver() }
      let isComplete = !target.isClosed
      try target.finish()
      return isComplete
    } catch {
      throw .message(error.description)
    }
  }

  /// Opens the destination of the results.
  func openTarget() throws(Failure) -> OutputTarget {
    do throws(SystemCallError) {
      if options.isCheckOnly { return .nowhere() }
      var target: OutputTarget
      if let path = options.outputFile {
        target = try .file(path, mode: options.outputFileMode)
      } else {
        target = .standardOutput()
        if options.journal?.cursorFile != nil, options.format.isStreaming { try target.startLine() }
      }
      // Pretty's own colours must reach the terminal: it applies the same rule to each text of a record itself.
      if options.format != .pretty { target.protectTerminal() }
      return target
    } catch {
      throw .message(error.description)
    }
  }

  func attempt<T>(_ body: () throws(SystemCallError) -> T) throws(Failure) -> T {
    do throws(SystemCallError) {
      return try body()
    } catch {
      throw .message(error.description)
    }
  }
}
