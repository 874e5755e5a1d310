/// When to do what only a terminal is good for.
package enum TerminalChoice: String, CaseIterable, Sendable {
  case auto, always, never
}
