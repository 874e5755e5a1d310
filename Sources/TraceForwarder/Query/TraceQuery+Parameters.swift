import Bytes
import Encodings
import HTTP
import System

/// What is wrong with a parameter, and which it is.
struct ParameterError: Error {
  var message: String
}

extension TraceQuery {
  /// Reads the parameters of a search of API version 1.
  init(v1 request: HTTPRequest) throws(ParameterError) {
    guard let service = Self.value("service", request) else {
      throw ParameterError(message: "parameter 'service' is required")
    }
    self.service = service
    operation = Self.value("operation", request)
    try setTimes(request)
    for (name, path) in [("minDuration", \TraceQuery.minDuration), ("maxDuration", \TraceQuery.maxDuration)] {
      guard let text = Self.value(name, request) else { continue }
      guard let value = GoDuration.parse(text) else {
        throw Self.unreadable(name, text, "not a duration such as 1.5ms")
      }
      self[keyPath: path] = value
    }
    if maxDuration == 0 { maxDuration = .max }
    guard minDuration <= maxDuration else {
      throw ParameterError(message: "'maxDuration' should be greater than 'minDuration'")
    }
    try setTags(request)
    limit = try Self.limit(request, ["limit"])
  }

  private mutating func setTimes(_ request: HTTPRequest) throws(ParameterError) {
    for (name, path) in [("start", \TraceQuery.start), ("end", \TraceQuery.end)] {
      guard let text = Self.value(name, request) else { continue }
      guard let value = UInt64(text) else {
        throw Self.unreadable(name, text, "not a number of microseconds")
      }
      let (time, isOver) = value.multipliedReportingOverflow(by: 1000)
      // A microsecond is all the nanoseconds in it.
      self[keyPath: path] = isOver ? .max : name == "end" ? time.saturatingAdding(999) : time
    }
    guard let text = Self.value("lookback", request), text != "custom", Self.value("start", request) == nil
    else { return }
    guard let value = GoDuration.parse(text, days: true) else {
      throw Self.unreadable("lookback", text, "not a duration such as 1h or 2d")
    }
    let now = min(end, WallClock.nanoseconds)
    start = now - min(now, value)
  }

  private mutating func setTags(_ request: HTTPRequest) throws(ParameterError) {
    for text in request.parameters("tag") where !text.isEmpty {
      guard let colon = text.firstIndex(of: ":") else {
        throw ParameterError(message: "malformed 'tag' parameter, expecting key:value, received: \(text)")
      }
      tags.append((String(text[..<colon]), String(text[text.index(after: colon)...])))
    }
    for text in request.parameters("tags") where !text.isEmpty {
      guard let pairs = JSONPairs.parse(text) else {
        throw ParameterError(
          message: "malformed 'tags' parameter, expecting a JSON object of texts, received: \(text)")
      }
      tags += pairs
    }
  }

  /// Reads the parameters of a search of API version 3: names in camel case or, as older clients send them, with
  /// underscores.
  init(v3 request: HTTPRequest) throws(ParameterError) {
    func value(_ name: String) -> String? {
      Self.value("query.\(name)", request) ?? Self.value("query.\(Self.underscored(name))", request)
    }
    service = value("serviceName")
    operation = value("operationName")
    guard let first = value("startTimeMin"), let last = value("startTimeMax") else {
      throw ParameterError(message: "query.startTimeMin and query.startTimeMax are required")
    }
    start = try Self.time("query.startTimeMin", first)
    end = try Self.time("query.startTimeMax", last)
    guard start < end else {
      throw ParameterError(message: "query.startTimeMin must be before query.startTimeMax")
    }
    for (name, path) in [("durationMin", \TraceQuery.minDuration), ("durationMax", \TraceQuery.maxDuration)] {
      guard let text = value(name) else { continue }
      guard let duration = GoDuration.parse(text) else {
        throw Self.malformed("query.\(name)", text, "not a duration such as 1.5ms")
      }
      self[keyPath: path] = duration
    }
    if maxDuration == 0 { maxDuration = .max }
    guard minDuration <= maxDuration else {
      throw ParameterError(message: "query.durationMin must not be above query.durationMax")
    }
    if let text = value("attributes") {
      guard let pairs = JSONPairs.parse(text) else {
        throw Self.malformed("query.attributes", text, "not a JSON object of texts")
      }
      tags = pairs
    }
    if value("filter") != nil {
      throw ParameterError(message: "query.filter is not supported; use query.attributes")
    }
    limit = try Self.limit(request, ["query.searchDepth", "query.search_depth", "query.num_traces"])
  }

  // MARK: Values

  /// Nil when it is missing or empty.
  private static func value(_ name: String, _ request: HTTPRequest) -> String? {
    request.query.first { $0.name == name && !$0.value.isEmpty }?.value
  }

  private static func underscored(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }

  private static func limit(_ request: HTTPRequest, _ names: [String]) throws(ParameterError) -> Int {
    for name in names {
      guard let text = value(name, request) else { continue }
      guard let limit = Int(text), limit >= 0 else { throw unreadable(name, text, "not a number of traces") }
      // Clients that have no opinion send zero.
      return limit == 0 ? TraceQuery().limit : min(limit, mostTraces)
    }
    return TraceQuery().limit
  }

  private static func time(_ name: String, _ text: String) throws(ParameterError) -> UInt64 {
    var copy = text
    guard let time = copy.withUTF8({ Timestamp.parse(rfc3339: $0) }) else {
      throw malformed(name, text, "not a time of RFC 3339")
    }
    guard let seconds = UInt64(exactly: time.seconds) else { return 0 }
    let (value, isOver) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return isOver ? .max : value.saturatingAdding(UInt64(time.nanoseconds))
  }

  private static func unreadable(_ name: String, _ text: String, _ reason: String) -> ParameterError {
    ParameterError(message: "unable to parse param '\(name)': \"\(text)\" is \(reason)")
  }

  private static func malformed(_ name: String, _ text: String, _ reason: String) -> ParameterError {
    ParameterError(message: "malformed parameter \(name): \"\(text)\" is \(reason)")
  }
}

extension UInt64 {
  fileprivate func saturatingAdding(_ other: UInt64) -> UInt64 {
    let (sum, isOver) = addingReportingOverflow(other)
    return isOver ? .max : sum
  }
}
