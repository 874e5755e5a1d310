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
    .systemLibrary(name: "CSystemd"),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CLanes"),
    .systemLibrary(name: "CCurl"),
    .systemLibrary(name: "CZlib"),
    .target(name: "CVersion"),
    .target(name: "CTracePage", exclude: ["page.html", "page.css", "page.js", "waterfall.js"]),
    .target(
      name: "Bytes", dependencies: ["CLanes", "CLinux"], path: "Sources/Shared/Bytes", swiftSettings: strict),
    .target(
      name: "System", dependencies: ["CLinux", "CZlib"], path: "Sources/Shared/System", swiftSettings: strict),
    .target(
      name: "Encodings", dependencies: ["Bytes"], path: "Sources/Shared/Encodings", swiftSettings: strict),
    .target(
      name: "CommandLine", dependencies: ["Bytes", "System", "CVersion"], path: "Sources/Shared/CommandLine",
      swiftSettings: strict
    ),
    .target(
      name: "Logging", dependencies: ["Bytes", "System"], path: "Sources/Shared/Logging",
      swiftSettings: strict),
    .target(
      name: "Tracing", dependencies: ["Bytes", "Encodings"], path: "Sources/Shared/Tracing",
      swiftSettings: strict),
    .target(
      name: "HTTP", dependencies: ["Bytes", "System", "Logging", "CCurl"], path: "Sources/Shared/HTTP",
      swiftSettings: strict),
    .target(
      name: "Delivery", dependencies: ["Bytes", "System", "Encodings"],
      path: "Sources/Shared/Delivery", swiftSettings: strict),
    .target(
      name: "LogParser",
      dependencies: [
        "Bytes", "System", "Encodings", "CommandLine", "Logging", "HTTP", "Tracing", "Delivery", "CLinux",
        "CSystemd",
      ],
      swiftSettings: strict),
    .target(
      name: "TraceForwarder",
      dependencies: [
        "Bytes", "System", "Encodings", "CommandLine", "Logging", "HTTP", "Tracing", "Delivery", "CLinux",
        "CTracePage",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "kata-log-parser", dependencies: ["LogParser"], swiftSettings: strict),
    .executableTarget(
      name: "kata-trace-forwarder", dependencies: ["TraceForwarder"], swiftSettings: strict),
    .executableTarget(
      name: "trace-benchmark", dependencies: ["Bytes", "System", "Tracing"],
      path: "Tests/Benchmarks/TraceCodecs",
      swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "BytesTests", dependencies: ["Bytes", "CLanes", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "EncodingsTests", dependencies: ["Bytes", "Encodings", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "SystemTests", dependencies: ["System", "CLinux", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "LoggingTests", dependencies: ["Logging", "Bytes", "System", "TestSupport"], swiftSettings: strict
    ),
    .testTarget(name: "CommandLineTests", dependencies: ["CommandLine"], swiftSettings: strict),
    .testTarget(
      name: "HTTPTests", dependencies: ["HTTP", "Logging", "System", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "DeliveryTests", dependencies: ["Delivery", "Bytes", "Encodings", "System", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "LogParserTests",
      dependencies: ["LogParser", "Bytes", "System", "Logging", "Tracing", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "TracingTests", dependencies: ["Bytes", "Encodings", "Tracing", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "TraceForwarderTests",
      dependencies: [
        "TraceForwarder", "Tracing", "Bytes", "System", "Logging", "HTTP", "CLinux", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: ["LogParser", "TraceForwarder", "Bytes", "System", "Tracing", "TestSupport"],
      swiftSettings: strict),
  ]
)
