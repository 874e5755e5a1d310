/// How a run gets from its inputs to its output. ``decide(_:_:fileInOrder:canReadSideBySide:)`` decides it once, before
/// the first record is read.
enum Plan {
  /// One regular file whose lines are in order of time: its segments are formatted as they are read, in parallel and in
  /// constant memory. A check reads it in the same way and writes nothing.
  case inOrder(SortedFile)
  /// A followed input: each record is written once no earlier one is expected.
  case followed
  /// Inputs that are nearly in order, read side by side: records wait in a ``ReorderWindow``.
  case windowed
  /// Logfmt files that are each in order of time: they are merged as they are read, in constant memory. Also a single
  /// file whose records must be processed one by one.
  case merged
  /// Everything is read before the first record is written: a ``SortBuffer`` puts it in order.
  case sorted
  /// Everything is read and nothing is written.
  case checked

  /// Decides on the plan.
  ///
  /// - Parameters:
  ///   - inputs: the inputs that are not empty.
  ///   - fileInOrder: scans a file, and returns its segments if its lines are in order. It reads the whole file, so it
  ///   is
  ///     called only if the answer matters.
  ///   - canReadSideBySide: whether the inputs can all be open at once.
  static func decide<Failure: Error>(
    _ options: RunOptions, _ inputs: [InputPath],
    fileInOrder: (InputPath) throws(Failure) -> SortedFile?, canReadSideBySide: ([InputPath]) -> Bool
  ) throws(Failure) -> Plan {
    if let input = onlyFile(options, inputs), let file = try fileInOrder(input) { return .inOrder(file) }
    if options.isCheckOnly { return .checked }
    if options.follows { return .followed }
    if inputs.contains(where: { !$0.journalFiles.isEmpty }) { return .sorted }
    if options.reorderWindow != nil { return canReadSideBySide(inputs) ? .windowed : .sorted }
    if mayMerge(options, inputs), canReadSideBySide(inputs), try areInOrder(inputs, fileInOrder) {
      return .merged
    }
    return .sorted
  }

  /// Whether the inputs may be merged if each is in order. To drop duplicates, all records of one time must be known.
  private static func mayMerge(_ options: RunOptions, _ inputs: [InputPath]) -> Bool {
    if options.journal != nil || options.dropsDuplicates || inputs.isEmpty { return false }
    // The only file was scanned already, and is not in order.
    return options.inputFormat.mayBeLogfmt && onlyFile(options, inputs) == nil
  }

  private static func areInOrder<Failure: Error>(
    _ inputs: [InputPath], _ fileInOrder: (InputPath) throws(Failure) -> SortedFile?
  ) throws(Failure) -> Bool {
    for input in inputs {
      // A pipe cannot be scanned without consuming it.
      guard try fileInOrder(input) != nil else { return false }
    }
    return true
  }

  /// The single file that can be formatted in pieces, if all of its records are wanted and the first bad one ends the
  /// run; nil if records must be processed one by one.
  private static func onlyFile(_ options: RunOptions, _ inputs: [InputPath]) -> InputPath? {
    guard options.journal == nil, inputs.count == 1, inputs[0].journalFiles.isEmpty else { return nil }
    let wantsEveryRecord = !options.keepsGoing && !options.dropsDuplicates && options.selection.isEverything
    return wantsEveryRecord && options.inputFormat.mayBeLogfmt && !options.follows ? inputs[0] : nil
  }
}

extension InputFormat {
  /// Whether lines of the runtime's own logfmt are read as such.
  fileprivate var mayBeLogfmt: Bool { self == .auto || self == .logfmt }
}
