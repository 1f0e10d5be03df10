// swift-tools-version: 6.2
import PackageDescription

// A program of its own, as anybody would write it: it depends on the package by path and uses the product NNRuntime.
let package = Package(
  name: "digits",
  dependencies: [.package(name: "nnrt", path: "../../..")],
  targets: [
    .executableTarget(name: "digits", dependencies: [.product(name: "NNRuntime", package: "nnrt")])
  ]
)
