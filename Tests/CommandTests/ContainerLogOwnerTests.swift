import Foundation
import TestSupport
import Testing

/// Whose the log of a container is, by the names that the kubelet gives to it.
@Suite(.ownThreads) struct ContainerLogOwnerTests {
  private static let container = String(repeating: "c7", count: 32)
  private static let uid = "5b0c7d9e-3a52-4c8e-9a61-0c1d2e3f4a5b"
  private static let line = "2026-03-05T10:00:00.1Z stdout F hello\n"

  /// Writes a log below a folder and reads it with the options.
  private func read(_ path: String, link: String? = nil, _ options: [String] = []) throws -> [String: Any] {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(Self.line.utf8).write(to: file)
    var operand = file
    if let link {
      operand = folder.url.appendingPathComponent(link)
      try FileManager.default.createDirectory(
        at: operand.deletingLastPathComponent(), withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(at: operand, withDestinationURL: file)
    }
    let text = try Tool.run(["--output-format", "ndjson"] + options + [operand.path]).text
    return try JSONSerialization.jsonObject(with: Data(text.isEmpty ? "{}".utf8 : text.utf8))
      as? [String: Any] ?? [:]
  }

  private func owner(_ record: [String: Any]) -> String {
    let text = { (key: String) in record[key] as? String ?? "" }
    return "\(text("pod_namespace"))/\(text("pod"))/\(text("container_name")) \(text("container").prefix(4)) "
      + text("kata-log-parser-inferred")
  }

  @Test(arguments: [
    ("var/log/pods/shop_web-0_\(uid)/nginx/0.log", "shop/web-0/nginx  container,pod"),
    ("var/log/pods/shop_web-0_\(uid)/nginx/0.log.20260305-100000", "shop/web-0/nginx  container,pod"),
    // The uid of a static pod is a hash.
    (
      "var/log/pods/kube-system_etcd-n1_0c1d2e3f4a5b0c1d2e3f4a5b0c1d2e3f/etcd/3.log",
      "kube-system/etcd-n1/etcd  container,pod"
    ),
    // A copy that somebody sent.
    ("case-17/shop_web-0_\(uid)/nginx/0.log", "shop/web-0/nginx  container,pod"),
    ("var/log/containers/web-0_shop_my-nginx-\(container).log", "shop/web-0/my-nginx c7c7 container,pod"),
    ("case-17/web-0_shop_nginx-\(container).log", "shop/web-0/nginx c7c7 container,pod"),
    // No names of the kubelet's.
    ("case-17/my_old_log/nginx/0.log", "//  "), ("case-17/a_b_c-d.log", "//  "),
  ])
  func theNameOfALogSaysWhoseItIs(_ path: String, _ expected: String) throws {
    #expect(owner(try read(path)) == expected)
  }

  @Test func aLinkSaysMoreThanItsFile() throws {
    let record = try read(
      "var/log/pods/shop_web-0_\(Self.uid)/nginx/0.log",
      link: "var/log/containers/web-0_shop_nginx-\(Self.container).log")
    #expect(owner(record) == "shop/web-0/nginx c7c7 container,pod")
  }

  @Test(arguments: [
    ("shop/web-0", true), ("web-0", true), ("shop/web", true), ("other/web-0", false), ("shop/api", false),
  ])
  func aPodSelectsItsContainersLogs(_ pod: String, _ isFound: Bool) throws {
    let path = "var/log/pods/shop_web-0_\(Self.uid)/nginx/0.log"
    #expect(try read(path, ["--pod", pod]).isEmpty == !isFound)
  }

  @Test func theSandboxOfAKnownContainerIsThatOfItsLog() throws {
    let folder = try TemporaryFolder()
    let sandbox = String(repeating: "5a", count: 32)
    let log = try folder.write(
      "containerd.log",
      "time=\"2026-03-05T09:59:00.1Z\" level=info msg=\"CreateContainer within sandbox \\\"\(sandbox)\\\" for &ContainerMetadata{Name:nginx,Attempt:0,} returns container id \\\"\(Self.container)\\\"\"\n"
    )
    let file = folder.url.appendingPathComponent("web-0_shop_nginx-\(Self.container).log")
    try Data(Self.line.utf8).write(to: file)
    let text = try Tool.run(["--output-format", "ndjson", "--sandbox", "5a5a", log, file.path]).text
    #expect(text.split(separator: "\n").count == 2, "\(text)")
  }
}
