// swift-tools-version: 6.2
import PackageDescription

// The rooms and their floors are explained in ARCHITECTURE.md; HouseTests checks that imports only go down.

/// Rooms without I/O, clocks, randomness or Foundation. Strict memory safety proves that nothing hostile meets an unsafe pointer here.
let pureRooms: [Target] = [
    .target(name: "ClusterModel"),
    .target(name: "DNOwnership", dependencies: ["ClusterModel"]),
    .target(
        name: "SIPCore", dependencies: ["ClusterModel", .product(name: "HeapModule", package: "swift-collections")]),
    .target(
        name: "AgentSessions",
        dependencies: ["ClusterModel"]
    ),
    .target(
        name: "TLibraryPorts",
        dependencies: ["ClusterModel", "AgentSessions", .product(name: "DequeModule", package: "swift-collections")]
    ),
    .target(
        name: "TargetSelection",
        dependencies: ["ClusterModel", "AgentSessions", .product(name: "HeapModule", package: "swift-collections")]
    ),
    .target(name: "Statistics", dependencies: ["ClusterModel", "AgentSessions"]),
    .target(name: "Orchestration", dependencies: ["ClusterModel"]),
    .target(name: "WorkspaceCore", dependencies: ["ClusterModel", "AgentSessions", "TLibraryPorts"]),
    .target(name: "PhoneCalls", dependencies: ["ClusterModel"]),
    .target(name: "CallControl", dependencies: ["ClusterModel", "AgentSessions"]),
    .target(name: "Trunks", dependencies: ["ClusterModel"]),
    .target(
        name: "NodeCore",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "Trunks", "TLibraryPorts",
        ]),
    .target(
        name: "Simulation",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "TLibraryPorts",
            "TargetSelection", "Trunks",
            "Statistics", "Orchestration", "NodeCore",
            .product(name: "DequeModule", package: "swift-collections"),
            .product(name: "HeapModule", package: "swift-collections"),
        ]
    ),
]

/// Doors: each is the only importer of one outside thing.
let doors: [Target] = [
    .systemLibrary(
        name: "CYAML",
        pkgConfig: "yaml-0.1",
        providers: [.apt(["libyaml-dev"])]
    ),
    .systemLibrary(
        name: "CProtobufC",
        pkgConfig: "libprotobuf-c",
        providers: [.apt(["libprotobuf-c-dev"])]
    ),
    .systemLibrary(
        name: "CCrypto",
        pkgConfig: "libcrypto",
        providers: [.apt(["libssl-dev"])]
    ),
    .systemLibrary(
        name: "COpenSSL",
        pkgConfig: "libssl",
        providers: [.apt(["libssl-dev"])]
    ),
    .target(name: "TLS", dependencies: ["ClusterModel", "COpenSSL"]),
    .target(name: "Digests", dependencies: ["ClusterModel", "SIPCore", "CCrypto"]),
    .target(name: "CTandemProto", dependencies: ["CProtobufC"]),
    .target(name: "CLinuxSystem"),
    .target(name: "TopologyFile", dependencies: ["ClusterModel", "CYAML"]),
    .target(
        name: "Wire",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "CallControl", "Trunks", "TLibraryPorts", "Orchestration",
            "CProtobufC", "CTandemProto",
        ]
    ),
    .target(name: "LinuxSystem", dependencies: ["ClusterModel", "CLinuxSystem"]),
    .target(name: "Transport", dependencies: ["ClusterModel", "SIPCore", "Wire", "LinuxSystem", "TLS"]),
    .target(
        name: "TLibrary",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "Wire", "LinuxSystem", "TLS", "Transport", "Digests",
        ]),
    .target(
        name: "NodeStore",
        dependencies: [
            "ClusterModel", "SIPCore", "NodeCore", "LinuxSystem", .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
            .product(name: "DequeModule", package: "swift-collections"),
        ]
    ),
    .target(
        name: "ProcessRuntime",
        dependencies: [
            "LinuxSystem", .product(name: "Logging", package: "swift-log"),
            .product(name: "CoreMetrics", package: "swift-metrics"),
        ]
    ),
    .target(
        name: "WebServer",
        dependencies: [
            "ClusterModel", "LinuxSystem", "TLS", .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            .product(name: "Logging", package: "swift-log"),
        ]
    ),
]

/// Roles: a shell around the machines.
let roles: [Target] = [
    .target(
        name: "WorkerRuntime",
        dependencies: [
            "ClusterModel", "Orchestration", "Wire", "LinuxSystem", "TLS", "Transport", "TLibrary", "ProcessRuntime",
            .product(name: "Logging", package: "swift-log"),
        ]
    ),
    .target(
        name: "StatServer",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "Statistics", "Orchestration", "Digests", "Wire",
            "LinuxSystem",
            "TLS", "Transport", "TLibrary", "WorkerRuntime",
            .product(name: "Logging", package: "swift-log"),
        ]
    ),
    .target(
        name: "Router",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "TargetSelection", "Orchestration", "Wire", "LinuxSystem",
            "Transport", "TLibrary", "WorkerRuntime",
            .product(name: "Logging", package: "swift-log"),
        ]
    ),
    .target(
        name: "Workspace",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "WorkspaceCore", "WebServer", "Orchestration", "Digests",
            "Wire", "LinuxSystem", "TLS", "Transport", "TLibrary", "WorkerRuntime",
            .product(name: "Logging", package: "swift-log"),
        ],
        // The page is a part of the program: there is nothing to install, and nothing of another build.
        resources: [
            "index.html", "supervisor.html", "page.css", "desk.mjs", "view.mjs", "session.mjs", "connection.mjs",
            "clock.mjs", "ticks.mjs", "supervisor.mjs", "strings.mjs", "icon.svg",
        ].map { Resource.embedInCode("Page/\($0)") }
    ),
    .target(
        name: "SIPServer",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "Trunks", "TLibraryPorts",
            "Orchestration",
            "NodeCore", "NodeStore", "Wire", "LinuxSystem", "TLS", "Transport", "Digests", "WorkerRuntime",
            .product(name: "Logging", package: "swift-log"),
        ]
    ),
    .target(
        name: "Controller",
        dependencies: [
            "ClusterModel", "SIPCore", "Orchestration", "TopologyFile", "Wire", "LinuxSystem", "TLS", "Transport",
            "Digests", "ProcessRuntime",
            .product(name: "Logging", package: "swift-log"), .product(name: "CoreMetrics", package: "swift-metrics"),
        ]
    ),
    .target(
        name: "OperatorCommands",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "Orchestration", "TopologyFile", "Wire", "LinuxSystem",
            "TLS", "Transport", "Digests",
            "TLibrary",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]
    ),
]

/// What hostile input is held against: by `make fuzz`, and by tests that repeat what was found.
let checks: [Target] = [
    .target(
        name: "FuzzChecks",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "CallControl", "SIPCore", "Trunks", "TLibraryPorts",
            "Orchestration", "NodeCore", "WorkspaceCore",
            "TopologyFile", "Wire", "TLS",
        ]
    )
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let programs: [Target] = [
    .executableTarget(name: "tandem", dependencies: ["OperatorCommands", argumentParser]),
    .executableTarget(name: "tandemd", dependencies: ["Controller", argumentParser]),
    .executableTarget(
        name: "tandem-worker",
        dependencies: [
            "SIPServer", "StatServer", "Router", "WorkerRuntime", "Orchestration", "LinuxSystem", argumentParser,
        ]),
    .executableTarget(
        name: "tandem-workspace",
        dependencies: ["Workspace", "WorkerRuntime", "Orchestration", "LinuxSystem", argumentParser]),
    .executableTarget(name: "tandem-sim", dependencies: ["Simulation", "LinuxSystem", argumentParser]),
    .executableTarget(
        name: "tandem-load",
        dependencies: [
            "ClusterModel", "AgentSessions", "SIPCore", "TLibraryPorts", "TargetSelection", "Orchestration",
            "PhoneCalls", "TopologyFile", "Wire", "LinuxSystem", "Transport", "TLibrary", "Digests", argumentParser,
            .product(name: "Histogram", package: "hdrhistogram-swift"),
        ]
    ),
]

/// The example of the library is a package of its own; built here too, it cannot fall behind.
let examples: [Target] = [
    .executableTarget(name: "example-desk", dependencies: ["TLibrary"], path: "examples/swift/Sources/desk")
]

let tests: [Target] = [
    .testTarget(name: "ClusterModelTests", dependencies: ["ClusterModel"]),
    .testTarget(name: "DNOwnershipTests", dependencies: ["ClusterModel", "DNOwnership"]),
    .testTarget(name: "SIPCoreTests", dependencies: ["ClusterModel", "SIPCore"]),
    .testTarget(name: "DigestsTests", dependencies: ["ClusterModel", "SIPCore", "Digests"]),
    .testTarget(name: "AgentSessionsTests", dependencies: ["ClusterModel", "AgentSessions"]),
    .testTarget(name: "TLibraryPortsTests", dependencies: ["ClusterModel", "AgentSessions", "TLibraryPorts"]),
    .testTarget(name: "TargetSelectionTests", dependencies: ["ClusterModel", "AgentSessions", "TargetSelection"]),
    .testTarget(name: "StatisticsTests", dependencies: ["ClusterModel", "AgentSessions", "Statistics"]),
    .testTarget(name: "OrchestrationTests", dependencies: ["ClusterModel", "Orchestration"]),
    .testTarget(
        name: "ScenarioTests", dependencies: ["ClusterModel", "Orchestration", "TopologyFile"], exclude: ["Planner"]),
    .testTarget(
        name: "WorkspaceCoreTests",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "TLibraryPorts", "NodeCore", "Digests",
            "WorkspaceCore",
        ]),
    .testTarget(
        name: "WebServerTests",
        dependencies: [
            "ClusterModel", "LinuxSystem", "TLS", "WebServer", "TestCertificates",
            .product(name: "Logging", package: "swift-log"),
        ]),
    .testTarget(
        name: "WorkspaceTests",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "WorkspaceCore", "WebServer", "LinuxSystem", "Workspace",
        ],
        exclude: ["OpenAPI"]
    ),
    .testTarget(name: "PhoneCallsTests", dependencies: ["ClusterModel", "PhoneCalls"]),
    .testTarget(name: "CallControlTests", dependencies: ["ClusterModel", "AgentSessions", "CallControl"]),
    .testTarget(name: "TrunksTests", dependencies: ["ClusterModel", "Trunks"]),
    .testTarget(
        name: "NodeCoreTests",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "Trunks", "TLibraryPorts",
            "NodeCore", "Digests",
        ]),
    .testTarget(
        name: "NodeStoreTests",
        dependencies: [
            "ClusterModel", "SIPCore", "NodeCore", "LinuxSystem", "NodeStore",
            .product(name: "GRDB", package: "GRDB.swift"),
        ]
    ),
    .testTarget(
        name: "SimulationTests",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "TLibraryPorts", "NodeCore", "Simulation", "Wire",
        ],
        exclude: ["regression-seeds.txt"]
    ),
    .testTarget(
        name: "TopologyFileTests", dependencies: ["ClusterModel", "TopologyFile"], exclude: ["Schema"]),
    .testTarget(
        name: "WireTests",
        dependencies: [
            "ClusterModel", "DNOwnership", "AgentSessions", "CallControl", "Trunks", "TLibraryPorts", "Orchestration",
            "Wire",
        ]
    ),
    .target(name: "TestCertificates", dependencies: ["LinuxSystem"], path: "Tests/TestCertificates"),
    .testTarget(name: "TLSTests", dependencies: ["ClusterModel", "TLS", "TestCertificates"]),
    .testTarget(
        name: "TransportTests",
        dependencies: ["ClusterModel", "Wire", "LinuxSystem", "TLS", "Transport", "TestCertificates"]),
    .testTarget(
        name: "TLibraryTests",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "Wire", "LinuxSystem", "Transport", "TLibrary",
        ]
    ),
    .testTarget(
        name: "OperatorCommandsTests",
        dependencies: [
            "ClusterModel", "TLibraryPorts", "Orchestration", "TopologyFile", "Wire", "LinuxSystem", "Transport",
            "Digests", "OperatorCommands",
        ]
    ),
    .testTarget(
        name: "ProcessRuntimeTests",
        dependencies: ["LinuxSystem", "ProcessRuntime", .product(name: "CoreMetrics", package: "swift-metrics")]
    ),
    .testTarget(name: "FuzzChecksTests", dependencies: ["ClusterModel", "FuzzChecks"]),
    .testTarget(name: "HouseTests", dependencies: []),
    .testTarget(
        name: "SystemTests",
        dependencies: [
            "ClusterModel", "AgentSessions", "TLibraryPorts", "Orchestration", "Wire", "LinuxSystem", "Transport",
            "TLibrary", "TestCertificates",
        ],
        exclude: ["Scenarios"]
    ),
]

let package = Package(
    name: "tandem",
    products: [
        .executable(name: "tandem", targets: ["tandem"]),
        .executable(name: "tandemd", targets: ["tandemd"]),
        .executable(name: "tandem-worker", targets: ["tandem-worker"]),
        .executable(name: "tandem-workspace", targets: ["tandem-workspace"]),
        .executable(name: "tandem-load", targets: ["tandem-load"]),
        .executable(name: "tandem-sim", targets: ["tandem-sim"]),
        // For other people's programs: everything public stands there.
        .library(name: "TLibrary", targets: ["TLibrary"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        // Without traits it needs neither swift-configuration nor the whole of Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Before its first release every one may change what it offers.
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: pureRooms + doors + roles + checks + programs + examples + tests,
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

for target in package.targets where ![.system, .binary, .plugin, .macro].contains(target.type) {
    // Rooms of C are called CThis and CThat.
    if target.name.hasPrefix("C"), target.name.dropFirst().first?.isUppercase == true { continue }
    var settings = target.swiftSettings ?? []
    settings += [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    // Rooms are small and call each other on the path of every message: inline across them.
    settings.append(.unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)))
    if pureRooms.contains(where: { $0.name == target.name }) {
        settings.append(.strictMemorySafety())
    }
    target.swiftSettings = settings
}
