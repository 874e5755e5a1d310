import Bytes
import CTracePage
import HTTP
import Tracing

/// The page at `/`: a list of traces, and one trace as a waterfall. It asks the query API like any other client, and needs
/// nothing from elsewhere. Its files are in `Sources/CTracePage`.
///
/// What a guest named a span is text here and never runs: the script makes elements and sets their text, and the policy
/// below lets no other script run, nor anything be loaded or sent elsewhere.
enum TracePage {
  private static let headers: [(name: String, value: String)] = [
    (
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-cache"),
  ]

  /// Nil for a path that is not the page's.
  static func answer(_ path: [String], _ query: [(name: String, value: String)] = []) -> HTTPResponse? {
    switch (path.first, path.count) {
    case (nil, _): file("text/html", kata_page_html())
    case ("page.css", 1): file("text/css", kata_page_style())
    case ("page.js", 1): file("text/javascript", kata_page_script())
    // Where the Jaeger UI has them, so that links to it lead somewhere.
    case ("search", 1): redirect("./" + text(query))
    case ("trace", 2): TraceID(hex: path[1]).flatMap { redirect("../#trace=\($0.description)") }
    default: nil
    }
  }

  /// Parameters as a URL has them. They are escaped again: what a client wrote is not copied into a field unchanged.
  private static func text(_ query: [(name: String, value: String)]) -> String {
    let pairs = query.map { "\(escaped($0.name))=\(escaped($0.value))" }
    return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
  }

  private static func escaped(_ text: String) -> String {
    var out = ByteWriter(capacity: text.utf8.count * 3)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        out.put(byte)
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        out.put(string: digits.count == 1 ? "%0\(digits)" : "%\(digits)")
      }
    }
    return out.string
  }

  private static func file(_ type: String, _ file: kata_file) -> HTTPResponse {
    let bytes = Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
    return HTTPResponse(200, type: "\(type); charset=utf-8", bytes, headers: headers)
  }

  private static func redirect(_ target: String) -> HTTPResponse {
    HTTPResponse(302, headers: [("Location", target)])
  }
}
