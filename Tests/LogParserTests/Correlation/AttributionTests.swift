import Bytes
import TestSupport
import Testing

@testable import LogParser

/// Whom records belong to, from their words and from their neighbours.
struct AttributionTests {
  private static let sandbox = "83eea70082823edbf8e66ce5c683467b3c08d0e5402f31c726ef0cbb0ea3316f"
  private static let container = "c1476bc7e666fd4ca3400f86af9c8ba915a5a6456f52d7a2051cac84ca755092"
  private static let uid = "51c4c1d5-f04f-8c1b-9881-8aa688a4c56d"

  /// What is found out of a record, as text.
  private struct Found: Equatable {
    var sandbox = ""
    var container = ""
    var pod = ""
    var namespace = ""
    var inferred = ""
  }

  private func find(
    _ attribution: Attribution, _ message: String = "", name: String = "", source: String = "", pid: Int = 0,
    sandbox: String = "", container: String = "", input: Int = 0, _ fields: [(String, String)] = []
  ) -> Found {
    var record = Record()
    record.message = record.arena.copy(message)
    record.name = record.arena.copy(name)
    record.source = record.arena.copy(source)
    record.sandbox = record.arena.copy(sandbox)
    record.container = record.arena.copy(container)
    record.pid = pid
    for (key, value) in fields { record.setField(record.arena.copy(key), record.arena.copy(value)) }
    let owner = attribution.owner(of: &record, input: input)
    return Found(
      sandbox: owner.sandbox.string, container: owner.container.string, pod: owner.pod.string,
      namespace: owner.namespace.string, inferred: InferredText.text(record.marks, owner))
  }

  @Test(arguments: [
    "StopPodSandbox for \"<S>\"", "RemovePodSandbox \"<S>\" returns successfully",
    "StopPodSandbox for \\\"<S>\\\"",
    "TearDown network for sandbox \"<S>\" successfully", "Forcibly stopping sandbox \"<S>\"",
    "failed to start sandbox \"<S>\": no kernel", "Stopped pod sandbox: <S>", "Removing pod sandbox: <S>",
    "PodSandboxId:<S>,State:READY", "sandbox <S> hypervisor pid is 12", "created pod sandbox \"<S>\"",
    "CreateSandbox: sandboxId:<S>", "created an instance vm-1 for sandbox <S>",
    "qemu cmd: \"-name\" \"sandbox-<S>\" \"-m\"",
    "cannot list /run/vc/vm/<S>/console.sock", "connect: /run/user/1000/run/vc/sbs/<S>",
    "cleaning /sys/fs/cgroup/kubepods/kata_<S>", "dial /run/kata/<S>/shim-monitor.sock",
    "rm /run/containerd/io.containerd.grpc.v1.cri/sandboxes/<S>/shm", "mkdir /run/peerpod/pods/<S>/net",
  ])
  func aMessageNamesItsSandbox(_ text: String) {
    let message = text.replacing("<S>", with: Self.sandbox)
    let found = find(Attribution(names: []), message)
    #expect(found.sandbox == Self.sandbox && found.inferred == "sandbox", "\(message): \(found)")
  }

  @Test(arguments: [
    "StartContainer for \"<C>\" returns successfully", "StopContainer for \"<C>\" with timeout 30 (s)",
    "Stop container \"<C>\" with signal terminated", "Container to stop \"<C>\" must be in running state",
    "Kill container \"<C>\"", "TaskExit event &TaskExit{ContainerID:<C>,ID:x,Pid:12,}",
    "received exit event container_id:\"<C>\"  id:\"x\"", "Stopping container: <C> (timeout: 30s)",
    "CreateContainer: containerID:<C>",
    "the scope cri-containerd-<C>.scope is gone: /a/cri-containerd-<C>.scope",
    "cannot open /run/kata-containers/shared/containers/<C>/rootfs",
  ])
  func aMessageNamesItsContainer(_ text: String) {
    let message = text.replacing("<C>", with: Self.container)
    let found = find(Attribution(names: []), message)
    #expect(found.container == Self.container, "\(message): \(found)")
    #expect(found.sandbox.isEmpty, "\(message): \(found)")
  }

  @Test(arguments: [
    "the sandbox failed", "sandbox \"", "sandbox", "containers: none", "container \"nginx\" is not ready",
    "no container named sandbox/1", "sandbox id", "cleaning /run/vc/vm", "/run/vc/vm/template/memory",
    "Got pod network {", "PodSandboxMetadata{", "sandbox name \"a_b\"", "CreateContainer within pod",
  ])
  func wordsAloneNameNothing(_ message: String) {
    #expect(find(Attribution(names: []), message) == Found(), "\(message)")
  }

  @Test(arguments: [
    "RunPodSandbox for &PodSandboxMetadata{Name:job-1,Uid:<U>,Namespace:batch,Attempt:1,} returns sandbox id \"<S>\"",
    "RunPodSandbox for name:\"job-1\"  uid:\"<U>\"  namespace:\"batch\"  attempt:1 returns sandbox id \"<S>\"",
    "Ran pod sandbox <S> with infra container: batch/job-1/POD",
    "Got pod network &{Name:job-1 Namespace:batch ID:<S> UID:<U> NetNS:/var/run}",
  ])
  func aSandboxIsKnownByItsPodFromThenOn(_ text: String) {
    let attribution = Attribution(names: [])
    let message = text.replacing("<S>", with: Self.sandbox).replacing("<U>", with: Self.uid)
    let told = find(attribution, message)
    #expect(told.sandbox == Self.sandbox && told.pod == "job-1" && told.namespace == "batch", "\(told)")
    let created = find(
      attribution,
      "CreateContainer within sandbox \"\(Self.sandbox)\" for name:\"x\" returns container id \"\(Self.container)\""
    )
    #expect(created.container == Self.container && created.pod == "job-1", "\(created)")
    let stopped = find(attribution, "StopContainer for \"\(Self.container)\" with timeout 30 (s)")
    #expect(
      stopped
        == Found(
          sandbox: Self.sandbox, container: Self.container, pod: "job-1", namespace: "batch",
          inferred: "container,sandbox,pod"))
    let shim = find(attribution, "Start() start", name: "containerd-shim-v2", pid: 9, sandbox: Self.sandbox)
    #expect(shim.pod == "job-1" && shim.inferred == "pod")
    // The sandbox has a container of its own with the same id.
    let id = find(attribution, "shim disconnected", [("id", Self.sandbox), ("namespace", "k8s.io")])
    #expect(id.sandbox == Self.sandbox && id.container.isEmpty && id.pod == "job-1")
    let task = find(attribution, "shim disconnected", [("id", Self.container)])
    #expect(task.container == Self.container && task.sandbox == Self.sandbox)
  }

  @Test func generatedNameIdentifiesThePodsSandbox() {
    let attribution = Attribution(names: [])
    let metadata =
      "RunPodSandbox for &PodSandboxMetadata{Name:job-1,Uid:\(Self.uid),Namespace:batch,Attempt:1,}"
    #expect(find(attribution, metadata).sandbox.isEmpty)
    let generated = find(
      attribution, "generated id for sandbox name \"job-1_batch_\(Self.uid)_1\"",
      [("podsandboxid", Self.sandbox)])
    #expect(generated.pod == "job-1" && generated.sandbox == Self.sandbox)
    let failed = find(attribution, metadata + " failed, error")
    #expect(failed.sandbox == Self.sandbox && failed.pod == "job-1" && failed.namespace == "batch")
    // The first line came too early.
    #expect(attribution.earlyRecords == 1)
  }

  @Test(arguments: [
    ("sandbox_id", "S"), ("sandbox-id", "S"), ("podSandboxID", "S"), ("SANDBOX", "S"), ("ID", "S"),
    ("sandboxid", "containerd://S"),
  ])
  func fieldsOfManyNamesAreStatements(_ key: String, _ value: String) {
    let found = find(Attribution(names: []), "m", [(key, value.replacing("S", with: Self.sandbox))])
    #expect(found == Found(sandbox: Self.sandbox))
  }

  @Test func podsOfFieldsAreTakenApart() {
    let found = find(Attribution(names: []), "mounting", [("pod", "shop/web-0"), ("podUID", Self.uid)])
    #expect(found.pod == "web-0" && found.namespace == "shop" && found.inferred.isEmpty)
    let described = find(Attribution(names: []), "Started container", [("description", "shop/db-0/pg")])
    #expect(described.pod == "db-0" && described.namespace == "shop")
  }

  // MARK: Processes and inputs

  @Test func recordsOfAProcessBelongToItsSandbox() {
    let attribution = Attribution(names: ["a", "b"])
    #expect(find(attribution, "start vm", name: "kata", pid: 7).sandbox.isEmpty)
    _ = find(attribution, "qemu cmd: \"-name\" \"sandbox-\(Self.sandbox)\"", name: "kata", pid: 7)
    let known = find(attribution, "start vm", name: "kata", pid: 7)
    #expect(known.sandbox == Self.sandbox && known.inferred == "sandbox")
    #expect(find(attribution, "start vm", name: "kata", pid: 8).sandbox.isEmpty)
    // Another input may be of another host, and another host has other processes.
    #expect(find(attribution, "start vm", name: "kata", pid: 7, input: 1).sandbox.isEmpty)
    #expect(find(attribution, "start vm", name: "kata", pid: 7, [("host", "h")]).sandbox.isEmpty)
    // containerd serves many.
    _ = find(attribution, "StopPodSandbox for \"\(Self.sandbox)\"", name: "containerd", pid: 5)
    #expect(find(attribution, "loading", name: "containerd", pid: 5).sandbox.isEmpty)
    #expect(attribution.earlyRecords == 1)
  }

  @Test func inputNameIdentifiesItsOwner() {
    let attribution = Attribution(names: [
      "/var/lib/x/\(Self.sandbox)/console.log", "console-\(Self.sandbox).log",
      "/var/log/containers/web-0_shop_nginx-\(Self.container).log",
      "/var/log/pods/shop_web-0_\(Self.uid)/nginx/0.log", "/home/x/console.log",
    ])
    let console = find(attribution, "[    0.1] x", name: "kernel", source: "vmconsole", input: 0)
    #expect(console.sandbox == Self.sandbox && console.inferred == "sandbox")
    #expect(find(attribution, "x", source: "vmconsole", input: 1).sandbox == Self.sandbox)
    let container = find(attribution, "hello", input: 2)
    #expect(
      container.container == Self.container && container.pod == "web-0" && container.namespace == "shop")
    #expect(find(attribution, "hello", input: 3).pod == "web-0")
    #expect(find(attribution, "hello", input: 4) == Found())
  }

  // MARK: Guests

  @Test func guestOutputIsNoEvidence() {
    let other = String(Self.sandbox.reversed())
    let attribution = Attribution(names: [])
    for (name, source) in [("kata-agent", "agent"), ("kernel", "vmconsole"), ("", "vmconsole")] {
      let found = find(
        attribution,
        "RunPodSandbox for name:\"evil\" uid:\"u\" namespace:\"n\" returns sandbox id \"\(other)\"",
        name: name, source: source, pid: 1, sandbox: Self.sandbox)
      #expect(found == Found(sandbox: Self.sandbox))
      #expect(find(attribution, "/run/vc/vm/\(other)/x", name: name, source: source) == Found())
    }
    // Its container is what it says of this one record, not what others are told by.
    _ = find(
      attribution, "exec", name: "kata-agent", source: "agent", sandbox: Self.sandbox,
      container: Self.container)
    #expect(find(attribution, "StartContainer for \"\(Self.container)\"").sandbox.isEmpty)
    // The same said by the host afterwards is learned.
    _ = find(
      attribution, "exec", name: "containerd-shim-v2", sandbox: Self.sandbox, container: Self.container)
    #expect(find(attribution, "StartContainer for \"\(Self.container)\"").sandbox == Self.sandbox)
  }

  // MARK: Bounds

  @Test(.seeded) func theTableIsBoundedAndForgetsTheOldest() {
    var random = Seed.generator()
    var table = OwnerTable()
    let excess = 1 + Int.random(in: 0..<5000, using: &random)
    for number in 0..<(OwnerTable.limit + excess) {
      ByteSlice.withCopy(of: Array("sandbox-\(number)".utf8)) { _ = table.sandbox($0) }
    }
    #expect(table.forgotten == UInt64(excess))
    func isKnown(_ number: Int) -> Bool {
      ByteSlice.withCopy(of: Array("sandbox-\(number)".utf8)) { table.find(.sandbox, $0) != nil }
    }
    #expect(!isKnown(0) && !isKnown(excess - 1) && isKnown(excess) && isKnown(OwnerTable.limit + excess - 1))
  }

  @Test(.seeded) func mutatedMessagesDoNoHarm() {
    var random = Seed.generator()
    let words = [
      "sandbox", "Sandbox for ", "container", "ontainer ", "\"", "\\\"", " for ", "ID", ":", "=", "/", "_",
      "-", "name ",
      "Metadata{Name:", "Namespace:", ",", "}", Self.sandbox, Self.uid, "a/b/c", "/run/vc/vm/", "kata_",
      "Got pod network {", "",
    ]
    let attribution = Attribution(names: [])
    for _ in 0..<3000 {
      let message = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        words[Int.random(in: 0..<words.count, using: &random)]
      }.joined()
      let found = find(attribution, message, [("id", message), ("pod", message), ("error", message)])
      #expect(found.sandbox.utf8.count <= OwnerID.limit && found.pod.utf8.count <= 512, "\(message)")
    }
  }
}
