import CCurl
import Glibc
import System

/// A handle of libcurl's easy interface, with one connection. Everything unsafe about libcurl is in this file: what
/// goes in and comes out are values, and no pointer outlives ``post(_:until:)``.
final class CurlHandle {
  /// A request to post. Texts must not contain a zero byte, because libcurl would end them there.
  struct Request {
    var url: String
    var userAgent: String
    /// Lines of the request's head; one without a value takes out a field that libcurl would add.
    var fields: [String]
    var credentials: String?
    var authorities: String?
    /// Milliseconds.
    var timeout: Int
    var body: [UInt8]
  }

  /// The response, which may be cut off.
  struct Response {
    var status: Int
    /// Seconds; not positive if the server sent none.
    var retryAfter: Int64
    var location: String?
    /// Whether the empty line after the answer's head has come.
    var hasHead: Bool
    /// The beginning of the body; the rest over the limit is dropped: only status and counts matter.
    var body: [UInt8]
  }

  /// Milliseconds within which a connection must be made.
  private static let connectTimeout = 5000

  private let library: CurlLibrary
  private let handle: UnsafeMutableRawPointer
  private let received = ReceivedBytes()

  init() throws(HTTPClient.Failure) {
    library = try CurlLibrary.shared()
    guard let handle = library.makeHandle() else {
      throw HTTPClient.Failure(reason: "libcurl is out of memory")
    }
    self.handle = handle
  }

  deinit { library.cleanup(handle) }

  /// Posts, and waits for the answer; fails if the deadline passes.
  func post(_ request: Request, until deadline: StopDeadline) throws(HTTPClient.Failure) -> Response {
    received.bytes.removeAll()
    received.hasHead = false
    var list: UnsafeMutableRawPointer?
    for field in request.fields { list = library.append(list, field) ?? list }
    defer { library.freeList(list) }
    var message = [CChar](repeating: 0, count: 256)
    let code = message.withUnsafeMutableBufferPointer { message in
      request.body.withUnsafeBytes { body in
        set(KATA_CURL_ERRORBUFFER, UnsafeRawPointer(message.baseAddress))
        setRequest(request, body, list)
        setCallbacks(deadline)
        defer {
          // A later request must not see any of these.
          set(KATA_CURL_ERRORBUFFER, nil)
          set(KATA_CURL_POSTFIELDS, nil)
          set(KATA_CURL_HTTPHEADER, nil)
        }
        return withExtendedLifetime(deadline) { library.perform(handle) }
      }
    }
    guard code == 0 else {
      if code == KATA_CURL_ABORTED_BY_CALLBACK {
        throw HTTPClient.Failure(reason: "the shutdown deadline passed")
      }
      let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw HTTPClient.Failure(
        reason: text.isEmpty ? library.text(of: code) : text, kind: HTTPClient.Failure.Kind(code))
    }
    return Response(
      status: Int(kata_curl_number(library.getinfo, handle, Int32(KATA_CURL_RESPONSE_CODE))),
      retryAfter: kata_curl_number(library.getinfo, handle, Int32(KATA_CURL_RETRY_AFTER)),
      location: kata_curl_text(library.getinfo, handle, Int32(KATA_CURL_REDIRECT_URL)).map {
        String(cString: $0)
      },
      hasHead: received.hasHead, body: received.bytes)
  }

  private func setRequest(
    _ request: Request, _ body: UnsafeRawBufferPointer, _ list: UnsafeMutableRawPointer?
  ) {
    setText(KATA_CURL_URL, request.url)
    setText(KATA_CURL_USERAGENT, request.userAgent)
    if let credentials = request.credentials { setText(KATA_CURL_USERPWD, credentials) }
    if let authorities = request.authorities { setText(KATA_CURL_CAINFO, authorities) }
    setNumber(KATA_CURL_NOSIGNAL, 1)
    setNumber(KATA_CURL_TIMEOUT_MS, request.timeout)
    setNumber(KATA_CURL_CONNECTTIMEOUT_MS, min(request.timeout, Self.connectTimeout))
    setNumber(KATA_CURL_POST, 1)
    // Without a body of some address, libcurl would ask a callback for one.
    set(KATA_CURL_POSTFIELDS, body.baseAddress ?? UnsafeRawPointer(handle))
    setNumber(KATA_CURL_POSTFIELDSIZE, body.count)
    set(KATA_CURL_HTTPHEADER, list.map { UnsafeRawPointer($0) })
  }

  private func setCallbacks(_ deadline: StopDeadline) {
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
      received.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: min(room, size &* count)))
      return size &* count
    }
    set(KATA_CURL_XFERINFODATA, UnsafeRawPointer(Unmanaged.passUnretained(deadline).toOpaque()))
    _ = kata_curl_set_progress(library.setopt, handle) { deadline, _, _, _, _ in
      guard let deadline else { return 0 }
      return Unmanaged<StopDeadline>.fromOpaque(deadline).takeUnretainedValue().isOver ? 1 : 0
    }
    setNumber(KATA_CURL_NOPROGRESS, 0)
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

/// libcurl's functions, each with the type of its declaration in curl/curl.h.
private struct CurlLibrary: @unchecked Sendable {
  // Pointers to functions, which never change once the library is loaded.
  let setopt: UnsafeMutableRawPointer
  let getinfo: UnsafeMutableRawPointer
  let makeHandle: @convention(c) () -> UnsafeMutableRawPointer?
  let cleanup: @convention(c) (UnsafeMutableRawPointer) -> Void
  let perform: @convention(c) (UnsafeMutableRawPointer) -> Int32
  let append: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>) -> UnsafeMutableRawPointer?
  let freeList: @convention(c) (UnsafeMutableRawPointer?) -> Void
  private let error: @convention(c) (Int32) -> UnsafePointer<CChar>?

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
    guard let library = DynamicLibrary("libcurl.so.4", "libcurl-gnutls.so.4") else {
      throw HTTPClient.Failure(reason: "libcurl.so.4 cannot be loaded; install the package libcurl4")
    }
    let start: @convention(c) (Int) -> Int32 = try find("curl_global_init", library)
    // CURL_GLOBAL_ALL, which covers what later versions add.
    guard start(3) == 0 else { throw HTTPClient.Failure(reason: "libcurl cannot be initialised") }
    return CurlLibrary(
      setopt: try find("curl_easy_setopt", library), getinfo: try find("curl_easy_getinfo", library),
      makeHandle: try find("curl_easy_init", library), cleanup: try find("curl_easy_cleanup", library),
      perform: try find("curl_easy_perform", library), append: try find("curl_slist_append", library),
      freeList: try find("curl_slist_free_all", library), error: try find("curl_easy_strerror", library))
  }

  private static func find<Function>(
    _ name: String, _ library: DynamicLibrary
  ) throws(HTTPClient.Failure) -> Function {
    guard let function: Function = library.function(name) else {
      throw HTTPClient.Failure(reason: "libcurl has no function \(name)")
    }
    return function
  }

  func text(of code: Int32) -> String { error(code).map { String(cString: $0) } ?? "error \(code)" }
}
