// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "desk",
    dependencies: [.package(name: "tandem", path: "../..")],
    targets: [
        .executableTarget(name: "desk", dependencies: [.product(name: "TLibrary", package: "tandem")])
    ]
)
