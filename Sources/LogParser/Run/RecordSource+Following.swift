import Bytes
import Glibc
import System

/// Followed files.
extension RecordSource {
  /// The paths to watch to follow inputs; nil for standard input and other inherited pipes, which end: text at the end
  /// without a line end is a line there.
  static func watchedPaths(_ items: [InputPath]) -> [String]? {
    if items.isEmpty || items.contains(where: { $0.isStandardInput || $0.inherited != nil }) { return nil }
    return items.map(\.path)
  }

  /// Opens the followed files that exist; the others are opened when they appear.
  mutating func openFollowed() throws(Run.Failure) {
    ordered = OrderedMerge(count: inputs.items.count)
    for index in inputs.items.indices where followed?.isMissing(index) == false { try openFollowed(index) }
  }

  private mutating func openFollowed(_ index: Int) throws(Run.Failure) {
    let item = inputs.items[index]
    do throws(InputFailure) {
      ordered?.add(
        try OpenInput.open(
          item, index, options.inputOptions, isFollowed: true, tellsPauses: true,
          chunkSize: InputMerge.chunkSize(inputs.items.count)))
    } catch {
      // The file has been removed again, or does not exist yet.
      if access(item.path, F_OK) != 0, errno == ENOENT { return }
      throw .input(error)
    }
  }

  /// Handles a followed file without more records: suspends it until it grows, unless it must be read from its start.
  mutating func endOfFollowed(_ member: OrderedMerge.Member) throws(Run.Failure) {
    let index = member.input.index
    if let failure = member.input.failure { throw .message(failure.description) }
    guard let reason = newStarts[index] else {
      guard member.input.isTruncated else {
        ordered?.suspend()
        return
      }
      // Held-back records of the old content come before the new content.
      newStarts[index] = .truncated
      member.input.endFollowing()
      return
    }
    newStarts[index] = nil
    // The rest of that line is lost, or was written where this run does not read it.
    if member.input.unfinishedCount > 0 { counted.truncated += 1 }
    switch reason {
    case .replaced:
      ordered?.end(member)
      counted.add(member.input.lineCounts)
      try open(moved: index)
    case .truncated:
      counted.add(member.input.lineCounts)
      do throws(SystemCallError) {
        try member.input.restart(options.inputOptions)
      } catch {
        throw .message(error.description)
      }
      counted.truncations += 1
      notices[index, default: TruncationNotice()].note(member.input.item.name, diagnostics)
    }
  }

  /// Opens the file that a path names now; false if there is none, which is then waited for.
  @discardableResult
  private mutating func open(moved index: Int) throws(Run.Failure) -> Bool {
    do throws(SystemCallError) {
      guard try followed?.move(index) ?? false else { return false }
    } catch {
      throw .input(InputFailure(error))
    }
    try openFollowed(index)
    return true
  }

  /// Waits until one of the followed files may have more.
  mutating func waitForFollowed(_ patience: Int32) throws(Run.Failure) -> InputWait {
    guard let followed else { return .end }
    let event: FollowedFiles.Event
    do throws(SystemCallError) {
      event = try followed.wait(patience)
    } catch {
      throw .message(error.description)
    }
    switch event {
    case .nothing: break
    case .stopped: return .stopped
    case .changes(let changes):
      for (index, change) in changes { try take(change, index) }
    }
    return .mayHaveMore
  }

  private mutating func take(_ change: FollowedFiles.Change, _ index: Int) throws(Run.Failure) {
    guard let member = ordered?[index] else {
      if try open(moved: index) {
        diagnostics.warning("\(inputs.items[index].name): now exists; following it")
      }
      return
    }
    switch change {
    case .grown: member.input.resume()
    case .replaced:
      // Everything that was written to the old file before it was moved has been read.
      newStarts[index] = .replaced
      member.input.endFollowing()
    }
    ordered?.resume(index)
  }
}
