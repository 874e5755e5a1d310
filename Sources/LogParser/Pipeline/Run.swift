import Basics
import Glibc

/// One run: inputs in, one document out.
package final class Run {
  private let options: RunOptions
  private let diagnostics: Diagnostics

  package init(_ options: RunOptions, _ diagnostics: Diagnostics) {
    self.options = options
    self.diagnostics = diagnostics
  }

  /// A run that cannot go on; the message has been written for the user.
  package enum Failure: Error {
    case message(String)
    case record(RecordProblem, name: String, line: UInt64)
  }

  /// Does everything and returns the exit status.
  package func perform() -> Int32 {
    do throws(Failure) {
      return try performOrThrow()
    } catch {
      switch error {
      case .message(let text): diagnostics.error(text)
      case .record(let problem, let name, let line): diagnostics.problem(problem, in: name, line: line)
      }
      return 1
    }
  }

  private func performOrThrow() throws(Failure) -> Int32 {
    let inputs = try InputList(options, diagnostics)
    switch options.format {
    case .csv: return try render(CSVFormatter(), inputs)
    case .json: return try render(JSONFormatter(), inputs)
    case .text: return try render(TextFormatter(), inputs)
    case .toml: return try render(TOMLFormatter(), inputs)
    case .xml: return try render(XMLFormatter(), inputs)
    case .yaml: return try render(YAMLFormatter(), inputs)
    case .logfmt, .ndjson, .pretty: return try render(JSONFormatter(), inputs)
    }
  }

  private func render<F: RecordFormatter>(_ formatter: F, _ inputs: InputList) throws(Failure) -> Int32 {
    let reader = LogfmtRecord(rules: options.rules)
    let names = InputNames(inputs.items.map(\.name))
    if inputs.items.count == 1, !options.keepsGoing, let sorted = try sortedFile(inputs, reader) {
      let source = RenderSource(reader: reader, names: names, file: sorted.file)
      var segments = sorted.plan.segments.makeIterator()
      try write(formatter, source) { segments.next().map { .segment($0) } }
      return 0
    }
    var spool = RecordSpool(directory: options.temporaryDirectory)
    var index = TimeIndex()
    let failed = try fill(&spool, &index, inputs)
    let source = RenderSource(reader: reader, names: names, spool: RenderSource.Spool(spool))
    var merge = index.merged()
    var place = RenderPlace(count: 0, previousTime: nil)
    try write(formatter, source) {
      var batch: [TimeIndex.Entry] = []
      while batch.count < 1024, let entry = merge.next() { batch.append(entry) }
      guard let last = batch.last else { return nil }
      defer {
        place.count += UInt64(batch.count)
        place.previousTime = Timestamp(seconds: last.seconds, nanoseconds: last.nanoseconds)
      }
      return .entries(batch, place: place)
    }
    return failed ? 1 : 0
  }

  /// The one input as a file in order, if that is what it is.
  private func sortedFile(
    _ inputs: InputList, _ reader: LogfmtRecord
  ) throws(Failure) -> (file: RenderSource.File, plan: SortedFilePlan)? {
    guard let input = inputs.items.first, input.isRegular else { return nil }
    do throws(SystemCallError) {
      let descriptor =
        input.isStandardInput
        ? FileDescriptor(borrowing: STDIN_FILENO) : try FileDescriptor.open(input.path, O_RDONLY)
      let status = try descriptor.status(input.name)
      guard status.isRegularFile, lseek(descriptor.number, 0, SEEK_CUR) == 0,
        let plan = SortedFilePlan(
          descriptor, size: Int(status.st_size), subject: input.name, lineLimit: options.recordLimit,
          reader: reader)
      else { return nil }
      return (RenderSource.File(descriptor, name: input.name, input: 0), plan)
    } catch {
      throw .message(error.description)
    }
  }

  /// Parses all inputs into the spool; tells whether a record was bad.
  private func fill(
    _ spool: inout RecordSpool, _ index: inout TimeIndex, _ inputs: InputList
  ) throws(Failure) -> Bool {
    var record = Record()
    var bad = 0
    for (number, input) in inputs.items.enumerated() {
      do throws(SystemCallError) {
        let descriptor =
          input.isStandardInput
          ? FileDescriptor(borrowing: STDIN_FILENO) : try FileDescriptor.open(input.path, O_RDONLY)
        var lines = LineReader(descriptor, subject: input.name, limit: options.recordLimit)
        var reader = RecordReader(rules: options.rules)
        var line: UInt64 = 0
        reading: while true {
          let text: ByteSlice
          line += 1
          switch try lines.next() {
          case .end: break reading
          case .tooLong: continue
          case .text(let slice): text = slice
          }
          do throws(RecordProblem) {
            guard try reader.read(line: text, number: line, into: &record) == .record else { continue }
          } catch {
            if !options.keepsGoing {
              failure = .record(error, name: input.name, line: line)
              break reading
            }
            bad += 1
            if bad <= options.maximumErrors { diagnostics.problem(error, in: input.name, line: line) }
            continue
          }
          record.input = number
          let offset = spool.size
          let length = try spool.append(record)
          index.append(record.time, offset: offset, length: length, identity: 0)
        }
      } catch {
        throw .message(error.description)
      }
      if let failure { throw failure }
    }
    return bad > 0
  }

  private var failure: Failure?

  private func write<F: RecordFormatter>(
    _ formatter: F, _ source: RenderSource, _ nextJob: @escaping () -> RenderJob?
  ) throws(Failure) {
    var target: OutputTarget
    do throws(SystemCallError) {
      target =
        try options.outputFile.map { (path) throws(SystemCallError) in
          try OutputTarget.file(path, mode: options.outputFileMode)
        } ?? OutputTarget.standardOutput()
    } catch {
      throw .message(error.description)
    }
    var pending = OutputBuffer()
    formatter.begin(&pending)
    var count: UInt64 = 0
    var failure: Failure?
    OrderedWork.run(
      threads: options.threads, nextJob: nextJob,
      makeWorker: { RecordRenderer(formatter, source) },
      perform: { job, worker, out in worker.render(job, &out) },
      consume: { result, out in
        count += result.records
        do throws(SystemCallError) {
          if let error = result.failure { throw error }
          if let (line, problem) = result.problem {
            failure = .record(problem, name: source.file?.name ?? "-", line: line)
            return false
          }
          if !pending.isEmpty {
            try target.write(pending.bytes)
            pending.removeAll()
          }
          try target.write(out.bytes)
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
      try target.finish()
    } catch {
      throw .message(error.description)
    }
  }
}

/// The inputs of a run, resolved.
package struct InputList {
  package struct Item {
    /// The absolute path with links resolved, or `-`.
    package var path: String
    package var name: String { path }
    package var isStandardInput: Bool { path == "-" }
    package var isRegular = true
  }

  package private(set) var items: [Item] = []

  init(_ options: RunOptions, _ diagnostics: Diagnostics) throws(Run.Failure) {
    if options.files.isEmpty {
      throw .message("need files: name one or more, or - for standard input")
    }
    for file in options.files {
      if file == "-" {
        items.append(Item(path: file))
        continue
      }
      guard let resolved = realpath(file, nil) else {
        throw .message(SystemCallError("open", file).description)
      }
      defer { free(resolved) }
      var status = stat()
      guard stat(resolved, &status) == 0 else { throw .message(SystemCallError("stat", file).description) }
      if status.isRegularFile, status.st_size == 0 {
        if options.failsOnEmptyFile { throw .message("file \"\(file)\" is empty") }
        diagnostics.debug("ignoring empty file \"\(file)\"")
        continue
      }
      items.append(Item(path: String(cString: resolved)))
    }
    if items.isEmpty {
      if options.failsOnNoRecords { throw .message("no log records to process: all files are empty") }
      diagnostics.debug("no log records to process")
    }
  }
}
