import Bytes
import CommandLine

extension FlagValue {
  /// A time as journalctl reads it.
  static func time(_ text: String) throws(UsageError) -> Timestamp {
    do throws(JournalTime.Problem) {
      return try JournalTime.parse(text, now: LocalTime.now())
    } catch {
      throw UsageError(error.reason)
    }
  }
}
