import CommandLine
import Glibc

/// The zone that the user chose, as libc knows it.
enum TimeZoneName {
  /// The value of TZ for this zone.
  ///
  /// libc treats any name that it does not know as UTC, so the name is looked up here.
  static func checked(_ name: String) throws(UsageError) -> String {
    if name == "UTC" || name == "Z" { return "UTC0" }
    if let offset = offset(name) { return offset }
    let directory = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
    let isName = !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
    guard isName, isFile("\(directory)/\(name)") else {
      throw UsageError(
        "\"\(name)\" is not a time zone in \(directory); give a name such as Europe/Berlin, or an offset such as +02:00"
      )
    }
    return name
  }

  /// The zone that the command line names, as returned by ``checked(_:)``. It also applies to times in options before
  /// it, so it is searched for before the options are parsed.
  static func chosen(in arguments: [String]) throws(UsageError) -> String? {
    var chosen: String?
    for (index, argument) in arguments.enumerated() {
      if argument == "--" { break }
      if argument.hasPrefix("--timezone=") {
        chosen = String(argument.dropFirst("--timezone=".count))
      } else if argument == "--timezone", index + 1 < arguments.count {
        chosen = arguments[index + 1]
      }
    }
    guard let chosen else { return nil }
    do throws(UsageError) {
      return try checked(chosen)
    } catch {
      throw UsageError("--timezone: \(error.message)")
    }
  }

  /// Sets the zone of this process. Call it before other threads exist.
  static func use(_ zone: String) {
    setenv("TZ", zone, 1)
    tzset()
  }

  /// `+02:00`, `-0330` or `+2` in POSIX's form, where west is positive.
  private static func offset(_ text: String) -> String? {
    guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
    let digits = text.dropFirst().filter { $0 != ":" }
    guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), (1...4).contains(digits.count) else { return nil }
    let hours = digits.count <= 2 ? Int(digits) : Int(digits.dropLast(2))
    let minutes = digits.count <= 2 ? 0 : Int(digits.suffix(2))
    guard let hours, let minutes, hours <= 14, minutes < 60 else { return nil }
    let name = "\(sign)\(two(hours))\(two(minutes))"
    return "<\(name)>\(sign == "+" ? "-" : "+")\(two(hours)):\(two(minutes))"
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
