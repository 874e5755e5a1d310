import CCurl
import Glibc
import System

/// Posts bodies over HTTP and HTTPS by libcurl, which is loaded when the first collector is named.
///
/// Foundation's networking is a layer over the same library. Linked in, it makes a program of nothing else take 15 MiB
/// when it starts, 26 MiB after its first request, and ten times as long to start, for it needs libcurl and what that
/// needs at every start; it also hides Retry-After and the choice of authorities. So libcurl is called itself.
///
/// One client belongs to one thread and keeps its connection open between requests.
final class HTTPClient {
  struct Options: Sendable {
    var url: String
    var headers: [(name: String, value: String)] = []
    /// Milliseconds for a whole request.
    var timeout = 10_000
    /// `name:password` of basic authentication.
    var credentials: String?
    /// A file of certificates to trust in the place of the system's.
    var authorities: String?
  }

  struct Answer {
    var status: Int
    /// Seconds to wait, as the server asked.
    var retryAfter: Int?
    /// Where a redirect leads; none is followed.
    var location: String?
    var body: [UInt8]
  }

  /// Why there was no answer, in libcurl's words.
  struct Failure: Error {
    /// What went wrong, as far as that tells what to do.
    enum Kind {
      case name, connection, time, encryption, other

      /// libcurl's numbers are part of its stable interface.
      fileprivate init(_ code: Int32) {
        switch code {
        case 5, 6: self = .name
        case 7, 52, 55, 56: self = .connection
        case 28: self = .time
        case 35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98: self = .encryption
        default: self = .other
        }
      }

      var remedy: String? {
        switch self {
        case .name: "check the host name in the URL, and this machine's resolver"
        case .connection: "check that the collector is running, and the URL's port and scheme"
        case .time: "check that the collector is running and reachable, or raise --collector-timeout"
        case .encryption:
          "trust the authority that signed the collector's certificate by --collector-ca-file, and check the URL's host name and scheme"
        case .other: nil
        }
      }
    }

    var reason: String
    var kind = Kind.other
  }

  /// The most seconds that a server can ask to wait.
  private static let longestPause: Int64 = 3600

  private let library: CurlLibrary
  private let handle: UnsafeMutableRawPointer
  private let options: Options
  private let received = ReceivedBytes()
  private let deadline: StopDeadline

  /// - Parameter deadline: a request that is under way then is given up.
  init(_ options: Options, deadline: StopDeadline) throws(Failure) {
    self.options = options
    self.deadline = deadline
    library = try CurlLibrary.shared()
    guard let handle = library.makeHandle() else { throw Failure(reason: "libcurl has no memory") }
    self.handle = handle
  }

  deinit { library.cleanup(handle) }

  func post(_ body: UnsafeRawBufferPointer, type: String) throws(Failure) -> Answer {
    received.bytes.removeAll()
    received.hasHead = false
    var list: UnsafeMutableRawPointer?
    // No `Expect: 100-continue`: a collector that is slow to answer it would cost a second a batch.
    for header in [("Content-Type", type), ("Expect", "")] + options.headers {
      list = library.append(list, "\(header.0): \(header.1)") ?? list
    }
    defer { library.freeList(list) }
    var message = [CChar](repeating: 0, count: 256)
    let code = message.withUnsafeMutableBufferPointer { message in
      set(KATA_CURL_ERRORBUFFER, UnsafeRawPointer(message.baseAddress))
      return perform(body, list)
    }
    guard code == 0 else {
      if code == KATA_CURL_ABORTED_BY_CALLBACK { throw Failure(reason: "the time to stop was over") }
      let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw Failure(reason: text.isEmpty ? library.text(of: code) : text, kind: Failure.Kind(code))
    }
    // What libcurl takes for an answer that ends there, whatever the status was to mean.
    guard received.hasHead else { throw Failure(reason: "the answer's head was cut off", kind: .connection) }
    let wait = kata_curl_number(library.getinfo, handle, Int32(KATA_CURL_RETRY_AFTER))
    return Answer(
      status: Int(kata_curl_number(library.getinfo, handle, Int32(KATA_CURL_RESPONSE_CODE))),
      retryAfter: wait > 0 ? Int(min(wait, Self.longestPause)) : nil,
      location: kata_curl_text(library.getinfo, handle, Int32(KATA_CURL_REDIRECT_URL)).map {
        String(cString: $0)
      },
      body: received.bytes)
  }

  private func perform(_ body: UnsafeRawBufferPointer, _ list: UnsafeMutableRawPointer?) -> Int32 {
    setText(KATA_CURL_URL, options.url)
    setText(KATA_CURL_USERAGENT, "kata-trace-forwarder")
    if let credentials = options.credentials { setText(KATA_CURL_USERPWD, credentials) }
    if let authorities = options.authorities { setText(KATA_CURL_CAINFO, authorities) }
    setNumber(KATA_CURL_NOSIGNAL, 1)
    setNumber(KATA_CURL_TIMEOUT_MS, options.timeout)
    setNumber(KATA_CURL_CONNECTTIMEOUT_MS, min(options.timeout, 5000))
    setNumber(KATA_CURL_POST, 1)
    set(KATA_CURL_POSTFIELDS, body.baseAddress)
    setNumber(KATA_CURL_POSTFIELDSIZE, body.count)
    set(KATA_CURL_HTTPHEADER, list.map { UnsafeRawPointer($0) })
    set(KATA_CURL_WRITEDATA, UnsafeRawPointer(Unmanaged.passUnretained(received).toOpaque()))
    set(KATA_CURL_HEADERDATA, UnsafeRawPointer(Unmanaged.passUnretained(received).toOpaque()))
    _ = kata_curl_set_write(library.setopt, handle, Int32(KATA_CURL_HEADERFUNCTION)) {
      line, size, count, target in
      guard let line, let target else { return 0 }
      let received = Unmanaged<ReceivedBytes>.fromOpaque(target).takeUnretainedValue()
      received.takeHeadLine(UnsafeRawBufferPointer(start: line, count: size &* count))
      return size &* count
    }
    _ = kata_curl_set_write(library.setopt, handle, Int32(KATA_CURL_WRITEFUNCTION)) {
      bytes, size, count, target in
      guard let bytes, let target else { return 0 }
      let received = Unmanaged<ReceivedBytes>.fromOpaque(target).takeUnretainedValue()
      let room = max(0, ReceivedBytes.limit - received.bytes.count)
      // What is over the limit is passed over: only status and counts matter.
      received.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: min(room, size &* count)))
      return size &* count
    }
    set(KATA_CURL_XFERINFODATA, UnsafeRawPointer(Unmanaged.passUnretained(deadline).toOpaque()))
    _ = kata_curl_set_progress(library.setopt, handle) { deadline, _, _, _, _ in
      guard let deadline else { return 0 }
      return Unmanaged<StopDeadline>.fromOpaque(deadline).takeUnretainedValue().isOver ? 1 : 0
    }
    setNumber(KATA_CURL_NOPROGRESS, 0)
    return library.perform(handle)
  }

  private func set(_ option: Int, _ value: UnsafeRawPointer?) {
    _ = kata_curl_set_pointer(library.setopt, handle, Int32(option), value)
  }

  private func setText(_ option: Int, _ value: String) {
    // libcurl copies texts.
    value.withCString { set(option, UnsafeRawPointer($0)) }
  }

  private func setNumber(_ option: Int, _ value: Int) {
    _ = kata_curl_set_long(library.setopt, handle, Int32(option), value)
  }
}

private final class ReceivedBytes {
  static let limit = 64 << 10
  var bytes: [UInt8] = []
  /// Whether the empty line behind the answer's head has come.
  var hasHead = false

  /// Trailers come as further lines of the head; an answer such as 100 has a head of its own before.
  func takeHeadLine(_ line: UnsafeRawBufferPointer) {
    if line.starts(with: "HTTP/".utf8) {
      hasHead = false
    } else if line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
      hasHead = true
    }
  }
}

/// libcurl's functions.
private struct CurlLibrary: @unchecked Sendable {
  // The pointers below are functions and never change once the library is loaded.
  let setopt: UnsafeMutableRawPointer
  let getinfo: UnsafeMutableRawPointer
  private let easyInit: @convention(c) () -> UnsafeMutableRawPointer?
  private let easyCleanup: @convention(c) (UnsafeMutableRawPointer) -> Void
  private let easyPerform: @convention(c) (UnsafeMutableRawPointer) -> Int32
  private let easyError: @convention(c) (Int32) -> UnsafePointer<CChar>?
  private let listAppend:
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>) -> UnsafeMutableRawPointer?
  private let listFree: @convention(c) (UnsafeMutableRawPointer?) -> Void

  private static let loaded = Lock<CurlLibrary?>(nil)

  static func shared() throws(HTTPClient.Failure) -> CurlLibrary {
    try loaded.withLock { loaded throws(HTTPClient.Failure) in
      if let library = loaded { return library }
      let library = try load()
      loaded = library
      return library
    }
  }

  private static func load() throws(HTTPClient.Failure) -> CurlLibrary {
    let names = ["libcurl.so.4", "libcurl-gnutls.so.4"]
    guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else {
      throw HTTPClient.Failure(reason: "libcurl.so.4 cannot be loaded; install the package libcurl4")
    }
    let start = unsafeBitCast(try find("curl_global_init", library), to: (@convention(c) (Int) -> Int32).self)
    guard start(3) == 0 else { throw HTTPClient.Failure(reason: "libcurl does not start") }
    return CurlLibrary(
      setopt: try find("curl_easy_setopt", library), getinfo: try find("curl_easy_getinfo", library),
      easyInit: unsafeBitCast(
        try find("curl_easy_init", library), to: (@convention(c) () -> UnsafeMutableRawPointer?).self),
      easyCleanup: unsafeBitCast(
        try find("curl_easy_cleanup", library), to: (@convention(c) (UnsafeMutableRawPointer) -> Void).self),
      easyPerform: unsafeBitCast(
        try find("curl_easy_perform", library), to: (@convention(c) (UnsafeMutableRawPointer) -> Int32).self),
      easyError: unsafeBitCast(
        try find("curl_easy_strerror", library), to: (@convention(c) (Int32) -> UnsafePointer<CChar>?).self),
      listAppend: unsafeBitCast(
        try find("curl_slist_append", library),
        to: (@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>) -> UnsafeMutableRawPointer?).self
      ),
      listFree: unsafeBitCast(
        try find("curl_slist_free_all", library), to: (@convention(c) (UnsafeMutableRawPointer?) -> Void).self
      ))
  }

  private static func find(_ name: String, _ library: UnsafeMutableRawPointer) throws(HTTPClient.Failure)
    -> UnsafeMutableRawPointer
  {
    guard let symbol = dlsym(library, name) else {
      throw HTTPClient.Failure(reason: "libcurl has no function \(name)")
    }
    return symbol
  }

  func makeHandle() -> UnsafeMutableRawPointer? { easyInit() }
  func cleanup(_ handle: UnsafeMutableRawPointer) { easyCleanup(handle) }
  func perform(_ handle: UnsafeMutableRawPointer) -> Int32 { easyPerform(handle) }
  func text(of code: Int32) -> String { easyError(code).map { String(cString: $0) } ?? "error \(code)" }
  func append(_ list: UnsafeMutableRawPointer?, _ text: String) -> UnsafeMutableRawPointer? {
    listAppend(list, text)
  }
  func freeList(_ list: UnsafeMutableRawPointer?) { listFree(list) }
}
