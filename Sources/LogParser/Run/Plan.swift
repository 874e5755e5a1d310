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
  ///   - canReadSideBySide: whether so many inputs can be open at once; asked only where the user wants it.
  static func decide<Failure: Error>(
    _ options: RunOptions, _ inputs: [InputPath],
    fileInOrder: (InputPath) throws(Failure) -> SortedFile?, canReadSideBySide: ([InputPath]) -> Bool
  ) throws(Failure) -> Plan {
    if let input = onlyFile(options, inputs), let file = try fileInOrder(input) { return .inOrder(file) }
    if options.isCheckOnly { return .checked }
    if options.follows { return .followed }
    if options.reorderWindow != nil, canReadSideBySide(inputs) { return .windowed }
    return .sorted
  }

  /// The one file that may be formatted piece by piece, if all of its records are wanted and the first bad one ends the
  /// run; nil where records must be looked at one by one in any case.
  private static func onlyFile(_ options: RunOptions, _ inputs: [InputPath]) -> InputPath? {
    guard options.journal == nil, inputs.count == 1 else { return nil }
    let wantsEveryRecord = !options.keepsGoing && !options.dropsDuplicates && options.selection.isEverything
    let mayBeLogfmt = options.inputFormat == .auto || options.inputFormat == .logfmt
    return wantsEveryRecord && mayBeLogfmt && !options.follows ? inputs[0] : nil
  }
}
