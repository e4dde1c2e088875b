/// What a room is for; ARCHITECTURE.md explains the floors.
enum Floor: Equatable {
    /// Values and decisions: no I/O, no clock, no chance, nothing async, no Foundation.
    case pure
    /// The only importer of one outside thing.
    case door
    /// A shell around the machines.
    case role
    /// An executable.
    case program
    /// C: a system library's module map, generated code, or what Swift cannot reach.
    case foundation
}

/// One target of the package, and everything that it may import.
struct Room {
    let name: String
    let floor: Floor
    let imports: [String]

    init(_ name: String, _ floor: Floor, _ imports: [String]) {
        self.name = name
        self.floor = floor
        self.imports = imports
    }
}

/// The house: who may import whom. To loosen a line is a decision about the architecture, so say why in ARCHITECTURE.md.
enum House {
    static let rooms: [Room] = [
        // Ground: what the words mean.
        Room("ClusterModel", .pure, []),

        // First floor: what is decided.
        Room("DNOwnership", .pure, ["ClusterModel"]),
        Room("SIPCore", .pure, ["ClusterModel", "HeapModule"]),
        Room("AgentSessions", .pure, ["ClusterModel"]),
        // What clients ask of agents is what agents' machines are asked.
        Room("TLibraryPorts", .pure, ["ClusterModel", "AgentSessions", "DequeModule"]),
        Room("TargetSelection", .pure, ["ClusterModel", "AgentSessions", "HeapModule"]),
        Room("Statistics", .pure, ["ClusterModel", "AgentSessions"]),
        Room("Orchestration", .pure, ["ClusterModel"]),
        Room("WorkspaceCore", .pure, ["ClusterModel", "AgentSessions", "TLibraryPorts"]),
        Room("PhoneCalls", .pure, ["ClusterModel"]),
        // A call carries the reservation of whom it goes to.
        Room("CallControl", .pure, ["ClusterModel", "AgentSessions"]),
        Room("Trunks", .pure, ["ClusterModel"]),
        Room(
            "NodeCore", .pure,
            ["ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "Trunks", "TLibraryPorts"]),
        Room(
            "Simulation", .pure,
            [
                "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "Trunks", "TLibraryPorts",
                "TargetSelection", "Statistics", "Orchestration", "NodeCore", "DequeModule", "HeapModule",
            ]
        ),

        // Second floor: doors.
        Room("CYAML", .foundation, []),
        Room("CProtobufC", .foundation, []),
        Room("CCrypto", .foundation, []),
        Room("COpenSSL", .foundation, []),
        Room("CTandemProto", .foundation, ["CProtobufC"]),
        Room("CLinuxSystem", .foundation, []),
        Room("Digests", .door, ["ClusterModel", "SIPCore", "CCrypto"]),
        Room("TLS", .door, ["ClusterModel", "COpenSSL"]),
        Room("TopologyFile", .door, ["ClusterModel", "CYAML", "Glibc"]),
        Room(
            "Wire", .door,
            // The rooms whose messages it carries, and the code that packs them.
            [
                "ClusterModel", "DNOwnership", "AgentSessions", "CallControl", "Trunks", "TLibraryPorts",
                "Orchestration",
                "CProtobufC", "CTandemProto",
            ]
        ),
        Room("LinuxSystem", .door, ["ClusterModel", "CLinuxSystem", "Glibc"]),
        // It cuts streams into frames and into SIP messages; what these look like is decided elsewhere.
        // Other threads post messages to its loop: one lock is between them.
        Room("Transport", .door, ["ClusterModel", "SIPCore", "Wire", "LinuxSystem", "TLS", "Synchronization"]),
        Room(
            "TLibrary", .door,
            // The library's connections have threads; one lock is between these and the program's tasks.
            [
                "ClusterModel", "AgentSessions", "TLibraryPorts", "Wire", "LinuxSystem", "TLS", "Transport", "Digests",
                "Synchronization",
            ]),
        // One lock is between the node and the thread that writes.
        Room(
            "NodeStore", .door,
            [
                "ClusterModel", "SIPCore", "NodeCore", "LinuxSystem", "GRDB", "GRDBSQLite", "DequeModule", "Dispatch",
                "Synchronization",
                "Glibc", "FoundationEssentials",
            ]
        ),
        // Lines that nobody took are counted by an atomic: any thread may log.
        Room("ProcessRuntime", .door, ["LinuxSystem", "Logging", "CoreMetrics", "Glibc", "Synchronization"]),
        // Browsers are strangers by the thousand: a library answers them, on a thread of its own.
        Room(
            "WebServer", .door,
            [
                "ClusterModel", "LinuxSystem", "TLS", "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore",
                "NIOPosix", "NIOHTTPTypes", "Logging", "Synchronization",
            ]
        ),

        // Third floor: roles. What all workers have in common is the landing that theirs lie at.
        Room(
            "WorkerRuntime", .role,
            [
                "ClusterModel", "Orchestration", "Wire", "LinuxSystem", "TLS", "Transport", "TLibrary",
                "ProcessRuntime", "Logging",
            ]
        ),
        Room(
            "SIPServer", .role,
            [
                "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "Trunks", "TLibraryPorts",
                "Orchestration", "NodeCore", "NodeStore", "Wire", "LinuxSystem", "TLS", "Transport", "Digests",
                "WorkerRuntime", "Logging",
            ]
        ),
        Room(
            "StatServer", .role,
            [
                "ClusterModel", "AgentSessions", "TLibraryPorts", "Statistics", "Orchestration", "Digests", "Wire",
                "LinuxSystem",
                "TLS", "Transport", "TLibrary", "WorkerRuntime", "Logging",
            ]
        ),
        Room(
            "Router", .role,
            [
                "ClusterModel", "AgentSessions", "TLibraryPorts", "TargetSelection", "Orchestration", "Wire",
                "LinuxSystem", "Transport", "TLibrary", "WorkerRuntime", "Logging",
            ]
        ),
        Room(
            "Workspace", .role,
            [
                "ClusterModel", "AgentSessions", "TLibraryPorts", "WorkspaceCore", "WebServer", "Orchestration",
                "Digests", "Wire", "LinuxSystem", "TLS", "Transport", "TLibrary", "WorkerRuntime", "Logging",
                "FoundationEssentials", "Synchronization",
            ]
        ),
        Room(
            "Controller", .role,
            [
                "ClusterModel", "SIPCore", "Orchestration", "TopologyFile", "Wire", "LinuxSystem", "TLS", "Transport",
                "Digests",
                "ProcessRuntime", "Logging", "CoreMetrics",
            ]
        ),
        Room(
            "OperatorCommands", .role,
            [
                "ClusterModel", "AgentSessions", "TLibraryPorts", "Orchestration", "TopologyFile", "Wire",
                "LinuxSystem", "TLS",
                "Transport", "Digests",
                "TLibrary", "ArgumentParser", "Glibc", "FoundationEssentials",
            ]
        ),

        // Beside the stairs: what hostile input is held against. Nothing imports it but tests and the fuzzer.
        Room(
            "FuzzChecks", .role,
            [
                "ClusterModel", "DNOwnership", "AgentSessions", "SIPCore", "CallControl", "Trunks", "TLibraryPorts",
                "Orchestration",
                "NodeCore", "WorkspaceCore", "TopologyFile", "Wire", "TLS",
            ]
        ),

        // Below Tests, for those of them that need certificates.
        Room("TestCertificates", .role, ["LinuxSystem", "Glibc"]),

        // The example of the library: what others have is what it has.
        Room("example-desk", .program, ["TLibrary"]),

        // Roof: programs of a screenful each; the load generator is its own client.
        Room("tandem", .program, ["OperatorCommands", "ArgumentParser"]),
        Room("tandemd", .program, ["Controller", "ArgumentParser", "Glibc"]),
        Room(
            "tandem-worker", .program,
            [
                "SIPServer", "StatServer", "Router", "WorkerRuntime", "Orchestration", "LinuxSystem", "ArgumentParser",
            ]
        ),
        Room(
            "tandem-workspace", .program,
            ["Workspace", "WorkerRuntime", "Orchestration", "LinuxSystem", "ArgumentParser"]
        ),
        Room(
            "tandem-sim", .program,
            ["Simulation", "LinuxSystem", "ArgumentParser", "Dispatch", "Synchronization", "Glibc"]
        ),
        Room(
            "tandem-load", .program,
            [
                "ClusterModel", "AgentSessions", "SIPCore", "TLibraryPorts", "TargetSelection", "Orchestration",
                "PhoneCalls", "TopologyFile", "Wire", "LinuxSystem", "Transport", "TLibrary", "Digests", "Histogram",
                "ArgumentParser", "Glibc",
            ]
        ),
    ]

    /// What a pure room may import besides pure rooms: containers that neither read a clock nor draw a number.
    static let pureLibraries: Set<String> = ["DequeModule", "HeapModule"]

    /// Things with one door each.
    static let soleImporters: [(module: String, importers: Set<String>)] = [
        ("CYAML", ["TopologyFile"]),
        ("CProtobufC", ["Wire"]),
        ("CCrypto", ["Digests"]),
        ("COpenSSL", ["TLS"]),
        ("CTandemProto", ["Wire"]),
        ("CLinuxSystem", ["LinuxSystem"]),
        ("GRDB", ["NodeStore"]),
        ("GRDBSQLite", ["NodeStore"]),
        ("Histogram", ["tandem-load"]),
        ("CoreMetrics", ["ProcessRuntime", "Controller"]),
        ("Hummingbird", ["WebServer"]),
        ("HummingbirdCore", ["WebServer"]),
        ("HTTPTypes", ["WebServer"]),
        ("NIOCore", ["WebServer"]),
        ("NIOPosix", ["WebServer"]),
        ("NIOHTTPTypes", ["WebServer"]),
    ]

    /// Headers of outside libraries, and the C room that may include them.
    static let soleIncluders: [(header: String, includers: Set<String>)] = [
        ("yaml.h", ["CYAML"]),
        ("openssl/ssl.h", ["COpenSSL"]),
        ("protobuf-c/", ["CProtobufC", "CTandemProto"]),
    ]

    /// Source files that may be longer than `maximumLines`.
    static let longFiles: Set<String> = []
    static let maximumLines = 500

    /// Written by protoc-c, and never edited.
    static let generated = "Sources/CTandemProto/"

    static func room(named name: String) -> Room? { rooms.first { $0.name == name } }
    static var pureRooms: [Room] { rooms.filter { $0.floor == .pure } }
}
