/// Lines that journalctl writes about its own output, such as `-- Boot … --`: they are skipped.
enum JournalctlMarker {
  private static let beginnings: [StaticString] = [
    "-- Boot ", "-- Reboot --", "-- Journal begins ", "-- Logs begin ", "-- No entries --", "-- cursor: ",
    "Hint: You are currently not seeing messages ", "      Users in ",
    "      Pass -q to turn off this notice.",
  ]

  static let detector = Detector(
    shape: "journalctl", use: .auto(orForced: [.journalctl]), firstBytes: "-H "
  ) { (line, _, _) throws(RecordProblem) in
    beginnings.contains { line.hasPrefix($0) } ? .nothing : .passed
  }
}
