/// When to use a feature that is meant for terminals.
package enum TerminalChoice: String, CaseIterable, Sendable {
  case auto, always, never
}
