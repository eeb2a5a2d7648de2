// swift-tools-version: 6.3
import PackageDescription

/// What every target of ours is compiled with: the strictest the toolchain offers.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// The sans-IO core parses hostile bytes, so every unsafe expression in it must be marked as such.
let core = strict + [.strictMemorySafety()]

let package = Package(
  name: "jitterbug",
  products: [.executable(name: "jitterbug", targets: ["jitterbug"])],
  targets: [
    // The sans-IO core, in the order in which data flows: no clock, no socket, no file, no thread.
    .target(name: "Timeline", swiftSettings: core, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Packets", dependencies: ["Timeline"], swiftSettings: core),
    .target(name: "Sending", dependencies: ["Statistics", "Packets", "Timeline"], swiftSettings: core),
    .target(name: "Impairment", dependencies: ["Timeline"], swiftSettings: core),
    .target(name: "Buffering", dependencies: ["Timeline"], swiftSettings: core),
    .target(name: "Playing", swiftSettings: core),
    .target(name: "Statistics", dependencies: ["Timeline"], swiftSettings: core),
    .target(name: "Pictures", dependencies: ["Packets", "Statistics", "Timeline"], swiftSettings: core),
    .target(
      name: "Receiving", dependencies: ["Pictures", "Buffering", "Statistics", "Packets", "Timeline"],
      swiftSettings: core),
    .target(
      name: "Dissection", dependencies: ["Receiving", "Buffering", "Statistics", "Packets", "Timeline"],
      swiftSettings: core),
    .target(
      name: "Probing", dependencies: ["Sending", "Receiving", "Statistics", "Packets", "Timeline"],
      swiftSettings: core),
    .target(name: "Plots", swiftSettings: core),
    .target(name: "Reporting", dependencies: ["Plots", "Statistics", "Timeline"], swiftSettings: core),
    .target(
      name: "Simulation",
      dependencies: ["Sending", "Impairment", "Receiving", "Buffering", "Statistics", "Packets", "Timeline"],
      swiftSettings: core),
    .target(
      name: "Verification",
      dependencies: [
        "Simulation", "Sending", "Impairment", "Receiving", "Buffering", "Statistics", "Packets", "Timeline",
      ],
      swiftSettings: core),
    .target(
      name: "Racing", dependencies: ["Impairment", "Receiving", "Buffering", "Statistics", "Packets", "Timeline"],
      swiftSettings: core),

    // The shell: files, codecs, sockets.
    .target(
      name: "Media", dependencies: ["Packets", "Timeline", "COgg", "CSndFile"], swiftSettings: strict),
    .target(name: "Codecs", dependencies: ["COpus", "CSoxr"], swiftSettings: strict),
    .target(name: "Sockets", dependencies: ["Timeline", "CLinux"], swiftSettings: strict),
    .target(name: "Capture", dependencies: ["Timeline", "CPcap"], swiftSettings: strict),
    .target(
      name: "Emulation", dependencies: ["Sockets", "Impairment", "Statistics", "Timeline", "CLinux"],
      swiftSettings: strict),

    // The command, the only place that joins the shell with the core.
    .executableTarget(
      name: "jitterbug",
      dependencies: [
        "Timeline", "Packets", "Media", "Codecs", "Sending", "Impairment", "Receiving", "Buffering", "Playing",
        "Statistics", "Reporting", "Sockets", "Plots", "Dissection", "Capture", "Emulation", "Probing", "Simulation",
        "Verification", "Racing", "Pictures",
      ], swiftSettings: strict),

    // What a packet costs in the core; Benchmarks/micro runs it. Not part of the product.
    .executableTarget(
      name: "bench",
      dependencies: [
        "Timeline", "Packets", "Codecs", "Sending", "Impairment", "Buffering", "Playing", "Statistics", "Receiving",
        "Sockets",
      ], path: "Benchmarks/PacketPath", swiftSettings: strict),

    // What delay and late loss the jitter buffer gives on arrival traces; Benchmarks/playout compares them.
    .executableTarget(
      name: "playout-bench", dependencies: ["Timeline", "Buffering", "Playing"], path: "Benchmarks/Playout",
      swiftSettings: strict),

    // C: one shim or system library each.
    .target(name: "CLinux"),
    .systemLibrary(name: "COpus", pkgConfig: "opus", providers: [.apt(["libopus-dev"])]),
    .systemLibrary(name: "COgg", pkgConfig: "ogg", providers: [.apt(["libogg-dev"])]),
    .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
    .systemLibrary(name: "CSoxr", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
    .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap0.8-dev"])]),

    // Tests: what several of them share, one folder a module, then the whole system.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "TimelineTests", dependencies: ["Timeline"], swiftSettings: strict),
    .testTarget(
      name: "PacketsTests", dependencies: ["Packets", "Timeline", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "SendingTests", dependencies: ["Sending", "Statistics", "Packets", "Timeline"], swiftSettings: strict),
    .testTarget(name: "ImpairmentTests", dependencies: ["Impairment", "Timeline"], swiftSettings: strict),
    .testTarget(
      name: "BufferingTests", dependencies: ["Buffering", "Timeline", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "PlayingTests", dependencies: ["Playing", "Timeline"], swiftSettings: strict),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics", "Timeline"], swiftSettings: strict),
    .testTarget(
      name: "PicturesTests", dependencies: ["Pictures", "Statistics", "Packets", "Timeline"], swiftSettings: strict),
    .testTarget(
      name: "ReceivingTests",
      dependencies: ["Receiving", "Pictures", "Buffering", "Statistics", "Packets", "Timeline"],
      swiftSettings: strict),
    .testTarget(
      name: "ReportingTests", dependencies: ["Reporting", "Plots", "Statistics", "Timeline"], swiftSettings: strict),
    .testTarget(name: "PlotsTests", dependencies: ["Plots"], swiftSettings: strict),
    .testTarget(
      name: "DissectionTests",
      dependencies: ["Dissection", "Receiving", "Buffering", "Statistics", "Packets", "Timeline"],
      swiftSettings: strict),
    .testTarget(
      name: "ProbingTests",
      dependencies: ["Probing", "Sending", "Impairment", "Receiving", "Statistics", "Packets", "Timeline"],
      swiftSettings: strict),
    .testTarget(
      name: "VerificationTests",
      dependencies: [
        "Verification", "Simulation", "Sending", "Impairment", "Receiving", "Statistics", "Packets", "Timeline",
      ], swiftSettings: strict),
    .testTarget(
      name: "RacingTests",
      dependencies: ["Racing", "Impairment", "Receiving", "Buffering", "Statistics", "Packets", "Timeline"],
      swiftSettings: strict),
    .testTarget(name: "CaptureTests", dependencies: ["Capture", "Timeline"], swiftSettings: strict),
    .testTarget(
      name: "EmulationTests", dependencies: ["Emulation", "Sockets", "Impairment", "Timeline"], swiftSettings: strict),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "Simulation", "Sending", "Impairment", "Receiving", "Pictures", "Buffering", "Statistics", "Packets",
        "Timeline", "Reporting", "TestSupport",
      ], swiftSettings: strict),
    .testTarget(
      name: "MediaTests", dependencies: ["Media", "Packets", "Timeline", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "CodecsTests", dependencies: ["Codecs", "Packets"], swiftSettings: strict),
    .testTarget(name: "SocketsTests", dependencies: ["Sockets", "Timeline"], swiftSettings: strict),
    .testTarget(name: "ToolTests", dependencies: ["jitterbug"], swiftSettings: strict),
    .testTarget(name: "InteropTests", dependencies: ["jitterbug"], swiftSettings: strict),
  ]
)
