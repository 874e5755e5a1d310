import Bytes
import HTTP
import Tracing

/// The page at `/`: a list of traces, and one trace as a waterfall. It asks the query API like any other client, and needs
/// nothing from elsewhere.
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
    case (nil, _): file("text/html", html)
    case ("page.css", 1): file("text/css", style)
    case ("page.js", 1): file("text/javascript", script + waterfallScript)
    // Where the Jaeger UI has them, so that links to it lead somewhere.
    case ("search", 1): redirect("./" + text(query))
    case ("trace", 2): TraceID(hex: path[1]).flatMap { redirect("../#trace=\($0.description)") }
    default: nil
    }
  }

  /// Parameters as a URL has them. They are escaped anew: what a client wrote does not go into a field as it is.
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

  private static func file(_ type: String, _ text: String) -> HTTPResponse {
    HTTPResponse(200, type: "\(type); charset=utf-8", Array(text.utf8), headers: headers)
  }

  private static func redirect(_ target: String) -> HTTPResponse {
    HTTPResponse(302, headers: [("Location", target)])
  }

  private static let html = #"""
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Kata traces</title>
    <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cg fill='%232f7fd0'%3E%3Crect width='12' height='3' y='2' rx='1'/%3E%3Crect width='7' height='3' x='3' y='7' rx='1'/%3E%3Crect width='6' height='3' x='9' y='12' rx='1'/%3E%3C/g%3E%3C/svg%3E">
    <link rel="stylesheet" href="page.css">
    <header>
      <h1><a href="#">Kata traces</a></h1>
      <form id="form" role="search" aria-label="Traces">
        <label>Service <select id="service"><option value="">all</select></label>
        <label>Operation <select id="operation"><option value="">all</select></label>
        <label>Tags <input id="tags" size="18" placeholder="error=true key=value" spellcheck="false"></label>
        <label>Longer than <input id="min" size="6" placeholder="10ms" spellcheck="false"></label>
        <label>Last <select id="last">
          <option value="900">15 minutes<option value="3600">hour<option value="21600">6 hours<option value="86400">day<option value="" selected>all kept
        </select></label>
        <label>At most <select id="limit"><option>20<option selected>100<option>500<option>1500</select></label>
        <button>Find</button>
      </form>
    </header>
    <main id="main" tabindex="-1"><p class="note">Loading…</p></main>
    <noscript><p class="note">This page needs JavaScript. The same is at <a href="api/services">api/services</a>.</p></noscript>
    <script src="page.js"></script>
    """#
}
