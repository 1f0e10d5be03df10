// swift-tools-version: 6.2
import PackageDescription

// A package of somebody else, which depends on this one and knows its public products only.
let package = Package(
  name: "consumer",
  dependencies: [.package(name: "nnrt", path: "../..")],
  targets: [
    .executableTarget(name: "consumer", dependencies: [.product(name: "NNRuntime", package: "nnrt")])
  ]
)
