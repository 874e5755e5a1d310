/// Lines that journalctl writes about its own output, such as `-- Boot … --`: they are left out.
enum JournalctlMarker {
  private static let beginnings: [StaticString] = [
    "-- Boot ", "-- Reboot --", "-- Journal begins ", "-- Logs begin ", "-- No entries --", "-- cursor: ",
  ]

  static let detector = Detector(
    shape: "journalctl", use: .auto(orForced: [.journalctl]), firstBytes: "-"
  ) { (line, _, _) throws(RecordProblem) in
    beginnings.contains { line.hasPrefix($0) } ? .nothing : .passed
  }
}
