// swift-tools-version: 6.2
import PackageDescription

// The fuzz targets, apart from the main package because all of their code is instrumented. tools/fuzz builds and runs
// them.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "nnrt", path: "../..")],
  targets: [
    .target(name: "FuzzSupport"),
    .executableTarget(
      name: "FuzzLoader", dependencies: ["FuzzSupport", .product(name: "NNFormat", package: "nnrt")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])]),
    .executableTarget(
      name: "FuzzSession", dependencies: ["FuzzSupport", .product(name: "NNRuntime", package: "nnrt")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])]),
  ]
)
