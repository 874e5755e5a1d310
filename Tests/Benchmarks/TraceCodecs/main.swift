import Bytes
import Glibc
import Synchronization
import System
import Tracing

// Decodes the frames of a file again and again, and writes each span in a format: spans a second.
//
// usage: trace-benchmark FILE.frames FORMAT THREADS MILLISECONDS|PASSESx
// 500 is half a second, 20x is twenty passes over the file: a fixed amount of work, for counting instructions.
// FORMAT is none, jaeger-json, otlp-json, otlp-protobuf, jaeger-thrift or agent.

/// Appends one span in a format; nil when there is no such format.
func encoder(_ name: String) -> (@Sendable (borrowing Span, inout ByteWriter) -> Void)? {
  switch name {
  case "none": { _, _ in }
  case "jaeger-json": { JaegerJSON.encode($0, to: &$1) }
  case "otlp-json": { OTLPJSON.encode(copy $0, to: &$1) }
  case "otlp-protobuf": { OTLPProtobuf.encode(copy $0, to: &$1) }
  case "jaeger-thrift": { JaegerThrift.encode(copy $0, as: .compact, to: &$1) }
  case "agent": { AgentFrame.append(copy $0, as: .bincode, to: &$1) }
  default: nil
  }
}

/// When a thread stops.
enum Limit {
  case milliseconds(Int)
  case passes(Int)

  /// The limit that an argument names; nil when it names none.
  init?(_ text: String) {
    if text.hasSuffix("x"), let passes = Int(text.dropLast()) {
      self = .passes(passes)
    } else if let milliseconds = Int(text) {
      self = .milliseconds(milliseconds)
    } else {
      return nil
    }
  }
}

/// One thread's work: passes over all frames up to the limit. Returns the number of spans.
func work(
  _ bytes: [UInt8], _ payloads: [Range<Int>], _ limit: Limit,
  _ encode: (borrowing Span, inout ByteWriter) -> Void
) throws -> Int {
  let sink = try FileDescriptor.open("/dev/null", O_WRONLY)
  var out = ByteWriter(capacity: 512 << 10)
  var span = Span()
  var count = 0
  var passes = 0
  let start = now()
  func isOver() -> Bool {
    switch limit {
    case .milliseconds(let time): now() - start >= time * 1_000_000
    case .passes(let number): passes >= number
    }
  }
  while !isOver() {
    try bytes.withUnsafeBytes { bytes in
      for range in payloads {
        _ = try AgentFrame.decode(UnsafeRawBufferPointer(rebasing: bytes[range]), into: &span)
        encode(span, &out)
        if out.count > 256 << 10 {
          try sink.writeAll(out.bytes, subject: "/dev/null")
          out.removeAll()
        }
      }
    }
    count += payloads.count
    passes += 1
  }
  return count
}

func now() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

func frames(_ path: String) throws -> ([UInt8], [Range<Int>]) {
  let file = try FileDescriptor.open(path, O_RDONLY)
  var bytes = [UInt8](repeating: 0, count: Int(try file.status(path).st_size))
  let size = bytes.count
  _ = try bytes.withUnsafeMutableBytes { target in
    guard let base = target.baseAddress else { return 0 }
    return try file.read(at: 0, into: base, count: size, subject: path)
  }
  var payloads: [Range<Int>] = []
  var offset = 0
  while offset + AgentFrame.headerBytes <= bytes.count {
    let length = bytes[offset..<offset + 8].reduce(0) { $0 << 8 | Int($1) }
    let start = offset + AgentFrame.headerBytes
    guard start + length <= bytes.count else { break }
    payloads.append(start..<start + length)
    offset = start + length
  }
  return (bytes, payloads)
}

let arguments = CommandLine.arguments
guard arguments.count == 5, let encode = encoder(arguments[2]), let threads = Int(arguments[3]),
  let limit = Limit(arguments[4])
else {
  print("usage: trace-benchmark FILE.frames FORMAT THREADS MILLISECONDS|PASSESx")
  exit(2)
}
let (bytes, payloads) = try frames(arguments[1])
let total = Atomic<Int>(0)
let start = now()
let workers = (0..<threads).map { _ in
  WorkerThread.start {
    let count = (try? work(bytes, payloads, limit, encode)) ?? 0
    total.add(count, ordering: .relaxed)
  }
}
for worker in workers { worker?.join() }
let seconds = Double(now() - start) / 1e9
var usage = rusage()
getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
let processor = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
let fraction = Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
let count = Double(total.load(ordering: .relaxed))
// Spans a second, spans a second of processor time, and the peak of memory in KiB.
print("\(Int(count / seconds)) \(Int(count / (processor + fraction))) \(usage.ru_maxrss)")
