import Foundation
import TestSupport
import Testing

/// A sorted file in a format that says whom records belong to: several threads write what one writes, whatever earlier
/// records tell of later ones.
@Suite(.ownThreads) struct ParallelOwnersTests {
  /// What happens on a node, in order of time, with ids that were drawn.
  private struct Node {
    var random: SplitMix64
    var nanoseconds = 0
    var sandboxes: [String] = []
    var containers: [String] = []

    init(_ random: SplitMix64) {
      self.random = random
      for _ in 0..<1 + self.random.below(12) { sandboxes.append(id()) }
      for _ in 0..<1 + self.random.below(6) { containers.append(id()) }
    }

    mutating func id() -> String {
      (0..<4).map { _ in String(format: "%016lx", UInt(self.random.next())) }.joined()
    }

    mutating func time() -> String {
      nanoseconds += random.below(40_000_000)
      return String(
        format: "2026-03-05T05:%02d:%02d.%09dZ", nanoseconds / 60_000_000_000 % 60,
        nanoseconds / 1_000_000_000 % 60, nanoseconds % 1_000_000_000)
    }

    /// One of the runtime's own lines. Process ids are shared by some sandboxes, and their owners change.
    mutating func runtime(namesSandbox: Bool, _ rest: String = "") -> String {
      let index = random.below(sandboxes.count)
      let sandbox = namesSandbox ? " sandbox=\(sandboxes[index])" : ""
      let name = random.pick(["kata-runtime", "containerd-shim-v2", "kata-shim", "kata"])
      return
        "level=info msg=\"\(random.pick(["started", "stop (now)", "a/b", "begin"]))\" name=\(name) pid=\(40 + (index + random.below(2)) % 9)\(sandbox) source=\(random.pick(["virtcontainers", "runtime", "agent"]))\(rest)"
    }

    mutating func line(hasPods: Bool) -> String {
      let sandbox = random.pick(sandboxes)
      let container = random.pick(containers)
      switch random.below(40) {
      case 0 where hasPods:
        return
          "level=info msg=\"RunPodSandbox for &PodSandboxMetadata{Name:p\(random.below(4)),Uid:51c4c1d5-f04f-8c1b-9881-8aa688a4c56d,Namespace:shop,Attempt:0,} returns sandbox id \\\"\(sandbox)\\\"\""
      case 1:
        return
          "level=info msg=\"CreateContainer within sandbox \\\"\(sandbox)\\\" returns container id \\\"\(container)\\\"\""
      case 2: return "level=error msg=\"StopContainer for \\\"\(container)\\\" failed\""
      case 3: return "level=debug msg=\"open /run/vc/sbs/\(sandbox)/x\" name=kata-monitor pid=3 source=m"
      case 4: return "level=debug msg=\"words alone\""
      case 5: return "level=debug msg=plain source=virtcontainers"
      case 6: return runtime(namesSandbox: true, " container=\(container)")
      case 7: return runtime(namesSandbox: false, " cid=\(container)")
      case 8: return runtime(namesSandbox: true, " console-url=/run/vc/vm/\(sandbox)/c path=/x")
      case 9, 10, 11, 12: return runtime(namesSandbox: false)
      case 13, 14, 15:
        return
          "level=debug msg=\"reading guest console\" name=kata-runtime pid=41 sandbox=\(sandbox) source=virtcontainers vmconsole=\"{\\\"msg\\\":\\\"guest\\\",\\\"level\\\":\\\"INFO\\\",\\\"name\\\":\\\"kata-agent\\\",\\\"pid\\\":\\\"1\\\",\\\"source\\\":\\\"agent\\\"}\""
      default: return runtime(namesSandbox: true)
      }
    }

    mutating func log(lines: Int) -> String {
      // In some logs no pod is ever named, in some at once, in some only late: what was rendered ahead is then rendered again.
      let firstPod = random.pick([0, lines / 2, lines])
      return (0..<lines).map { "time=\"\(time())\" \(line(hasPods: $0 >= firstPod))\n" }.joined()
    }
  }

  @Test(.seeded, arguments: ["ndjson", "logfmt", "pretty"])
  func threadsWriteWhatOneWrites(_ format: String) throws {
    var random = Seed.generator()
    for _ in 0..<6 {
      var node = Node(SplitMix64(state: random.next()))
      let folder = try TemporaryFolder()
      // Several of the pieces that one thread makes at a time, which have 256 KiB.
      let path = try folder.write("node.log", node.log(lines: 4000 + random.below(6000)))
      let options = ["--stats", "--output-format", format, path]
      let one = try Tool.run(["--threads", "1"] + options)
      #expect(one.status == 0 && !one.output.isEmpty, "\(one.errorText)")
      for threads in ["2", "5"] {
        let several = try Tool.run(["--threads", threads] + options)
        #expect(several.output == one.output, "\(threads) threads write something else")
        #expect(several.errorText == one.errorText)
      }
    }
  }

  /// Where a name tells whose all records are, and where the strict rules refuse a line.
  @Test func namesAndBadLinesComeInOrder() throws {
    var node = Node(SplitMix64(state: 7))
    let folder = try TemporaryFolder()
    let console = try folder.write("console-\(node.sandboxes[0]).log", node.log(lines: 4000))
    let broken = try folder.write(
      "broken.log",
      node.log(lines: 3000) + "time=\"2026-03-05T05:59:59.999999999Z\" level=info msg=\"unclosed\n")
    let strict = ["--strict", "--ignore-missing-fields", "--output-format", "ndjson", broken]
    for options in [["--output-format", "ndjson", console], strict] {
      let one = try Tool.run(["--threads", "1"] + options)
      let two = try Tool.run(["--threads", "2"] + options)
      #expect(one.status == two.status && one.errorText == two.errorText)
      #expect(one.output == two.output && !one.output.isEmpty)
    }
  }
}
