import Bytes
import TestSupport
import Testing

@testable import LogParser

/// What leaves the machine has no secrets, and all else that the text had.
struct RedactorTests {
  private static func redacted(_ text: [UInt8]) -> (text: [UInt8], count: UInt64) {
    var redactor = Redactor()
    var arena = Arena()
    var count: UInt64 = 0
    let result = ByteSlice.withCopy(of: text) { slice in
      redactor.redacted(slice, &arena, &count).map { Array($0.bytes) }
    }
    return (result ?? text, count)
  }

  private static func redacted(_ text: String) -> String {
    String(decoding: redacted(Array(text.utf8)).text, as: UTF8.self)
  }

  static let secrets: [(String, String)] = [
    // Environments: JSON, Rust, Go, protobuf's text, the CRI.
    (#"env: ["PATH=/bin", "A="], cwd: "/""#, #"env: ["PATH=[redacted]", "A="], cwd: "/""#),
    (#"{"env":["A=b \"c\"","D=e"],"cwd":"/x"}"#, #"{"env":["A=[redacted]","D=[redacted]"],"cwd":"/x"}"#),
    (
      #"msg="{\"env\":[\"A=b\",\"D=e\"],\"x\":1}""#,
      #"msg="{\"env\":[\"A=[redacted]\",\"D=[redacted]\"],\"x\":1}""#
    ),
    ("Env:[PATH=/bin A=b c D=e] Cwd:/", "Env:[PATH=[redacted] A=[redacted] D=[redacted]] Cwd:/"),
    ("Env:[A=x[0] B=y]z C=] Cwd:/", "Env:[A=[redacted] B=[redacted] C=] Cwd:/"),
    (#"env="[A=b C=d]" pid=1"#, #"env="[A=[redacted] C=[redacted]]" pid=1"#),
    (#"Env:"A=b" Env:"C=d" Cwd:"/""#, #"Env:"A=[redacted]" Env:"C=[redacted]" Cwd:"/""#),
    (
      #"envs:<key:"A" value:"b" > envs:<key:"C" value:"d" >"#,
      #"envs:<key:"A" value:"[redacted]" > envs:<key:"C" value:"[redacted]" >"#
    ),
    (
      "Envs:[]*KeyValue{&KeyValue{Key:A,Value:b,},&KeyValue{Key:C,Value:d,},},Mounts",
      "Envs:[]*KeyValue{&KeyValue{Key:A,Value:[redacted],},&KeyValue{Key:C,Value:[redacted],},},Mounts"
    ),
    (
      #"Env:[]string{"PATH=/bin", "A=b c"}, Cwd:"/x", id=c1"#,
      #"Env:[]string{"PATH=[redacted]", "A=[redacted]"}, Cwd:"/x", id=c1"#
    ),
    (#"env=["A=cut off here"#, #"env=["A=[redacted]"#),
    ("env: A=b next", "env: A=[redacted] next"),
    // Names that say so.
    ("password=hunter2 user=joe", "password=[redacted] user=joe"),
    ("AWS_SECRET_ACCESS_KEY=abc+/=, next", "AWS_SECRET_ACCESS_KEY=[redacted], next"),
    (#"{"password": "a\"b", "user": "joe"}"#, #"{"password": "[redacted]", "user": "joe"}"#),
    (#"x="{\"token\":\"t\\\"1\",\"b\":2}""#, #"x="{\"token\":\"[redacted]\",\"b\":2}""#),
    ("api_key: 'a b' more", "api_key: '[redacted]' more"), ("dbPassword:x", "dbPassword:[redacted]"),
    (#"password: Some("x"), user: None"#, #"password: Some("[redacted]"), user: None"#),
    ("GET /x?token=abc&user=joe", "GET /x?token=[redacted]&user=joe"),
    ("client_secret = abc", "client_secret = [redacted]"), ("DB_PASS=x", "DB_PASS=[redacted]"),
    ("refresh token: a1b2c3d4e5", "refresh token: [redacted]"),
    (#""auths":{"r.io":{"auth":"dTpw"}}"#, #""auths":{"r.io":{"auth":"[redacted]"}}"#),
    // Options.
    ("run --password hunter2 --user joe", "run --password [redacted] --user joe"),
    (#"args: ["--token", "abc", "-v"]"#, #"args: ["--token", "[redacted]", "-v"]"#),
    ("run --env FOO=bar --env=A=b x=1", "run --env FOO=[redacted] --env=A=[redacted] x=1"),
    ("run --api-key=abc x", "run --api-key=[redacted] x"),
    // Headers.
    ("Authorization: Bearer abc.def\nHost: x", "Authorization: Bearer [redacted]\nHost: x"),
    ("authorization: Digest username=\"u\", realm=\"r\"", "authorization: [redacted]\"u\", realm=\"r\""),
    ("map[Authorization:[Bearer abc] Accept:[*/*]]", "map[Authorization:[Bearer [redacted]] Accept:[*/*]]"),
    (#"{"Authorization":["Basic dTpw"],"A":1}"#, #"{"Authorization":["Basic [redacted]"],"A":1}"#),
    ("Cookie: a=b; c=d", "Cookie: [redacted]"),
    ("sent Bearer 0123456789abcdef to x", "sent Bearer [redacted] to x"),
    // URLs.
    ("pull https://joe:hunter2@registry/x", "pull https://joe:[redacted]@registry/x"),
    ("redis://:p@ss@host:6379/0", "redis://:[redacted]@host:6379/0"),
    ("postgres://u:p/w@host/db", "postgres://u:[redacted]@host/db"),
    ("https://abcdefghijklmnopqrstuvwxyz@github.com/x", "https://[redacted]@github.com/x"),
    // Tokens by their form.
    ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_x ok", "got [redacted] ok"),
    ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"),
    ("ghp_0123456789abcdefghijABCDEFGHIJ0123 x", "[redacted] x"),
    (
      "a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a [redacted] b"
    ),
    ("a -----BEGIN PRIVATE KEY-----\\nMIIE", "a [redacted]"),
  ]

  @Test(arguments: secrets)
  func secretIsReplaced(_ text: String, _ result: String) {
    #expect(Self.redacted(text) == result)
    #expect(Self.redacted(result) == result)
  }

  @Test(arguments: [
    "", "sandbox created", "time=05:01:54 level=info", "PWD=/root OLDPWD=/", "unexpected token: end of file",
    "secret mounted at /run/secrets/token", "http://host:8080/a:b@c", "http://[::1]:4318/v1/logs",
    "https://host/x?y=z",
    "password= next=1", "token=nil", "password: null", "monkey=1 tokens=3 keys=4 bypass=5",
    "sha256:abcdef0123456789",
    "TOKEN_FILE=/run/token SECRET_NAME=x", "--token-ttl 5 --passes 3", "env: no such file", "Basic setup",
    "bearer of news",
    "eyJ", "container_id=\"abc\" exit_code:1", "environments ok", "auth: ok", "vsock://3:1024",
    "mail joe@example.org",
    "level=error msg=\"env\" error=\"[A]\"", "-----BEGIN CERTIFICATE-----\nMIIE", "git@github.com:x/y.git",
  ])
  func whatIsNoSecretStays(_ text: String) { #expect(Self.redacted(text) == text) }

  private static let pieces = [
    "password", "=", ":", " ", "\"", "\\", "\\\"", "env", "[", "]", "{", "}", "<", ">", "A=b", "value", "://",
    "u", "@",
    "--token", ",", "Bearer ", "eyJ", ".", "Authorization", "\n", "[redacted]", "x9Y",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----", "é", "\u{0}", "'", "Some(", "Cookie", "/", "&",
  ]

  @Test(.seeded) func redactingTwiceIsRedactingOnce() {
    var random = Seed.generator()
    for _ in 0..<20_000 {
      var text: [UInt8] = []
      for _ in 0..<random.below(24) { text += Array(random.pick(Self.pieces).utf8) }
      let (once, count) = Self.redacted(text)
      let again = Self.redacted(once)
      #expect(once == again.text, "\(String(decoding: text, as: UTF8.self))")
      #expect(once.count <= text.count + 10 * Int(count))
    }
  }

  /// A text of a mebibyte takes no longer than so many short ones: this one would not end otherwise.
  @Test(arguments: [
    "password=[,", "://a:b", "://a:b ", "env=[", "env=[A=", "env:\"", "\\", "\\\"", "--token ", "-----BEGIN ",
    "eyJ.", "eyJ. ",
    "Bearer ", "token: ", "Authorization:[", "a=", "\"password\":\\\"", "env={value:", "A=[ ", "env=[A=[ B",
    "-----BEGIN PRIVATE KEY-----", "x:y@", "password='", "Cookie:[",
  ])
  func hostileTextTakesLinearTime(_ piece: String) {
    let bytes = Array(piece.utf8)
    var text: [UInt8] = []
    text.reserveCapacity(1 << 20)
    while text.count < 1 << 20 { text += bytes }
    #expect(Self.redacted(text).text.count <= text.count * 11)
  }

  @Test func fieldsAreReplacedByTheirNames() {
    var record = Record()
    RunFixture.fill(&record, 1, "password=a b")
    for (key, value) in [
      ("db_password", "x y"), ("env", "[A=b C=d]"), ("error", "token=q"), ("token", "unexpected"),
      ("user", "joe"),
    ] {
      record.setField(record.arena.copy(key), record.arena.copy(value))
    }
    record.fields.sortKeepingLast()
    var redactor = Redactor()
    #expect(redactor.redact(&record) == 5)
    #expect(record.message.string == "password=[redacted] b")
    let values = (0..<record.fields.count).map {
      "\(record.fields[$0].key.string)=\(record.fields[$0].value.string)"
    }
    #expect(
      values == [
        "db_password=[redacted]", "env=[A=[redacted] C=[redacted]]", "error=token=[redacted]",
        "token=unexpected",
        "user=joe",
      ])
    #expect(redactor.redact(&record) == 0)
  }
}
