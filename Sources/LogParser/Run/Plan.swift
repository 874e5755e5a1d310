/// The way from a run's inputs to its output. It is decided once, by ``decide(_:_:fileInOrder:canReadSideBySide:)``,
/// before the first record is read.
enum Plan {
  /// One regular file whose lines are in order of time: its segments are formatted as they are read, in parallel and in
  /// constant memory. A check reads it in the same way and writes nothing.
  case inOrder(SortedFile)
  /// An input that is followed: each record is written when none before it is expected any more.
  case followed
  /// Inputs that are nearly in order, read side by side: records wait in a ``ReorderWindow``.
  case windowed
  /// Files of logfmt that are each in order of time: they are merged as they are read, in constant memory. One file alone
  /// goes this way where its records must be looked at one by one.
  case merged
  /// Everything is read before the first record is written: a ``SortBuffer`` puts it in order.
  case sorted
  /// Everything is read and nothing is written.
  case checked

  /// Decides on the way.
  ///
  /// - Parameters:
  ///   - inputs: the inputs that there are, without those that are empty.
  ///   - fileInOrder: looks through a file, and gives its segments if its lines are in order. It reads the whole file, so
  ///     it is called only where the answer matters.
  ///   - canReadSideBySide: whether so many inputs can be open at once.
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

  /// Whether the inputs may be merged if each is in order. Where copies are dropped, all records of one time must be
  /// known.
  private static func mayMerge(_ options: RunOptions, _ inputs: [InputPath]) -> Bool {
    if options.journal != nil || options.dropsDuplicates || inputs.isEmpty { return false }
    // The only file has been looked through already, and is not in order.
    return options.inputFormat.mayBeLogfmt && onlyFile(options, inputs) == nil
  }

  private static func areInOrder<Failure: Error>(
    _ inputs: [InputPath], _ fileInOrder: (InputPath) throws(Failure) -> SortedFile?
  ) throws(Failure) -> Bool {
    for input in inputs {
      // A pipe cannot be looked through without reading it.
      guard try fileInOrder(input) != nil else { return false }
    }
    return true
  }

  /// The one file that may be formatted piece by piece, if all of its records are wanted and the first bad one ends the
  /// run; nil where records must be looked at one by one in any case.
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
