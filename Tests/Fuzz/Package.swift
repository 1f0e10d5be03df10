// swift-tools-version: 6.2
import PackageDescription

// The fuzz targets, apart from the main package because all of their code is instrumented. tools/fuzz builds and runs
// them.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "nnrt", path: "../..")],
  targets: [
    .target(name: "FuzzSupport"),
    .target(name: "FileMutator", dependencies: ["FuzzSupport"]),
    .target(name: "OnnxMutator", dependencies: ["FuzzSupport"]),
    .executableTarget(
      name: "FuzzLoader",
      dependencies: ["FuzzSupport", "FileMutator", .product(name: "NNFormat", package: "nnrt")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])]),
    .executableTarget(
      name: "FuzzSession",
      dependencies: ["FuzzSupport", "FileMutator", .product(name: "NNRuntime", package: "nnrt")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])]),
    .executableTarget(
      name: "FuzzImporter",
      dependencies: ["FuzzSupport", "OnnxMutator", .product(name: "NNOnnx", package: "nnrt")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])]),
  ]
)
