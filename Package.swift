// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "kata-observability",
  products: [
    .executable(name: "kata-log-parser", targets: ["kata-log-parser"]),
    .executable(name: "kata-trace-forwarder", targets: ["kata-trace-forwarder"]),
  ],
  targets: [
    .systemLibrary(
      name: "CSystemd",
      providers: [.apt(["libsystemd-dev", "pkg-config"])]
    ),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CLanes"),
    .systemLibrary(name: "CCurl"),
    .target(name: "Basics", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "Tracing", dependencies: ["Basics"], swiftSettings: strict),
    .target(
      name: "LogParser", dependencies: ["Basics", "CLanes", "CLinux", "CSystemd"], swiftSettings: strict),
    .target(
      name: "TraceForwarder", dependencies: ["Basics", "Tracing", "CCurl", "CLinux"], swiftSettings: strict),
    .executableTarget(
      name: "kata-log-parser", dependencies: ["LogParser"], swiftSettings: strict),
    .executableTarget(
      name: "kata-trace-forwarder", dependencies: ["TraceForwarder"], swiftSettings: strict),
    .executableTarget(
      name: "trace-benchmark", dependencies: ["Basics", "Tracing"], path: "Tests/Benchmarks/TraceCodecs",
      swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "BasicsTests", dependencies: ["Basics"], swiftSettings: strict),
    .testTarget(
      name: "LogParserTests", dependencies: ["LogParser", "Basics", "CLanes", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "TracingTests", dependencies: ["Tracing", "Basics", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "TraceForwarderTests",
      dependencies: ["TraceForwarder", "Tracing", "Basics", "CLinux", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CommandTests", dependencies: ["LogParser", "TraceForwarder", "Tracing"], swiftSettings: strict),
  ]
)
