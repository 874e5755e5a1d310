import Foundation
import TestSupport
import Testing

/// The Debian packages and what is published of a commit. `make test-packages` builds the packages first and names their
/// folder in `KATA_TEST_PACKAGES`; without that only what needs no build is tested.
@Suite(.ownThreads) struct PackageTests {
  private static let folder = ProcessInfo.processInfo.environment["KATA_TEST_PACKAGES"]

  private func packages() throws -> [String] {
    let folder = try #require(Self.folder)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".deb") }
    #expect(names.count == 2, "\(names)")
    return names.sorted().map { "\(folder)/\($0)" }
  }

  @Test(.enabled(if: folder != nil, "run by `make test-packages`"), .needs("lintian"))
  func lintianFindsNothing() throws {
    // The packages are the project's own: there is no request for packaging in Debian that a changelog could close.
    let result = try Program.run(
      "/usr/bin/lintian",
      [
        "--allow-root", "--fail-on", "error,warning", "--suppress-tags", "initial-upload-closes-no-bugs",
      ] + (try packages()))
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
  }

  @Test(
    .enabled(if: folder != nil, "run by `make test-packages`"),
    .enabled(if: geteuid() == 0, "installing packages needs root"))
  func installedUsedRemovedAndPurgedNothingIsLeft() throws {
    let result = try Program.run(
      Repository.path("Tests/Support/use-packages"), [try #require(Self.folder), Repository.root.path])
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
    let steps = result.text.split(separator: "\n").map { $0.prefix { $0 != ":" } }
    #expect(
      steps == ["installed", "ran", "verified", "served", "removed", "purged"], "\(result.text)")
    #expect(result.text.contains("kata-trace-forwarder.service enabled"))
  }

  /// The Debian packages of libraries that the tools load by name.
  private static let libraryPackages = [
    "libcurl.so.4": "libcurl4", "libcurl-gnutls.so.4": "libcurl3-gnutls", "libsystemd.so.0": "libsystemd0",
    "libzstd.so.1": "libzstd1", "liblz4.so.1": "liblz4-1", "libz.so.1": "zlib1g",
  ]

  /// A library that is loaded when it is needed is in no dependency that a packager's tool finds.
  @Test func eachLibraryThatIsLoadedWhenNeededIsRecommendedOrSuggested() throws {
    let control = try String(contentsOfFile: Repository.path(".packaging/debian/control"), encoding: .utf8)
    let sbom = try String(contentsOfFile: Repository.path(".packaging/write-sbom"), encoding: .utf8)
    let named = Set(control.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init))
    let sources = try #require(FileManager.default.enumerator(atPath: Repository.path("Sources")))
    var count = 0
    for case let path as String in sources where path.hasSuffix(".swift") {
      let text = try String(contentsOfFile: Repository.path("Sources/\(path)"), encoding: .utf8)
      for match in text.matches(of: /"(lib[a-z0-9_+-]+\.so\.[0-9]+)"/) {
        let package = Self.libraryPackages[String(match.1)]
        #expect(package.map(named.contains) == true, "\(match.1), which \(path) loads")
        #expect(sbom.contains("\"\(match.1)\""), "\(match.1) is not in the SBOM's table")
        count += 1
      }
    }
    #expect(count >= 4)
  }

  @Test(.needs("git")) func packagesAreNamedAfterTheVersionThatTheToolsPrint() throws {
    let result = try Program.run(Repository.path(".packaging/version"), [])
    #expect(result.status == 0, "\(result.errorText)")
    let version = try #require(result.text.firstMatch(of: /(?m)^VERSION=(\S+)$/)?.1)
    let printed = try Tool.run(["--version"]).text
    let number = try #require(printed.firstMatch(of: /^kata-log-parser (\S+)/)?.1)
    #expect(version == number || version.hasPrefix("\(number)+git"), "\(version), \(printed)")
    #expect(result.text.contains(/(?m)^COMMIT=[0-9a-f]{40}$/))
  }
}
