// swift-tools-version: 6.2
import PackageDescription

// The lean targets (below the lean line of the README's map) compile twice: as ordinary Swift for
// Swift programs, tests and nnpack; and, with the Embedded trait, as Embedded Swift for libnnrt.so.
let embedded: [SwiftSetting] = [
  .enableExperimentalFeature("Embedded", .when(traits: ["Embedded"])),
  .unsafeFlags(["-wmo"], .when(traits: ["Embedded"])),
  // Modules compile copies of each other's functions, number the constant arrays in them differently, and give them the same
  // names: linked together, one copy reads the other's arrays. Without this pass there are none.
  .unsafeFlags(["-Xllvm", "-sil-disable-pass=object-outliner"], .when(traits: ["Embedded"])),
  // The compiler proves exclusive access; checks of what it cannot see would trap, and a session belongs to one thread.
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(traits: ["Embedded"])),
]

// Everything but the kernels is optimised for size in the library: it runs once for each file or each new shape.
let lean: [SwiftSetting] =
  embedded + [
    .unsafeFlags(["-Osize", "-Xllvm", "-enable-machine-outliner=always"], .when(traits: ["Embedded"]))
  ]

// Kernels are generic code that only becomes fast once specialised, so they are optimised even in
// debug builds: unoptimised, the tests would take hours.
let kernels: [SwiftSetting] = embedded + [.unsafeFlags(["-O", "-wmo"], .when(configuration: .debug))]

// On x86-64 the baseline is for processors older than 2013, and emulates what they lack: small is better than fast there.
#if arch(x86_64)
  let baseline: [SwiftSetting] =
    kernels + [
      .unsafeFlags(["-Osize", "-Xllvm", "-enable-machine-outliner=always"], .when(traits: ["Embedded"]))
    ]
#else
  let baseline = kernels
#endif

// The pass that is left out (loop strength reduction) would give every row of a tile a pointer, which each step of the innermost loop adds
// to: a dozen instructions more beside two dozen multiply-adds. Where only flags change, compilers keep old objects: delete them first.
func instructionSet(_ march: String) -> [SwiftSetting] {
  #if arch(x86_64)
    kernels + [.unsafeFlags(["-Xcc", "-march=\(march)", "-Xllvm", "-disable-lsr"])]
  #else
    kernels
  #endif
}

let package = Package(
  name: "nnrt",
  products: [
    .library(name: "nnrt", type: .static, targets: ["NNRT"]),
    .library(name: "NNFormat", targets: ["NNFormat", "NNGraph"]),
    .library(name: "NNRuntime", targets: ["NNRuntime", "NNFormat", "NNGraph"]),
    .library(name: "NNTraining", targets: ["NNTraining", "NNDescription", "NNPasses"]),
    .library(name: "NNOnnx", targets: ["NNOnnx", "NNPasses"]),
    .executable(name: "nnpack", targets: ["nnpack"]),
  ],
  traits: [
    .trait(name: "Embedded", description: "Compile the lean targets as Embedded Swift, for libnnrt.so")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Its default traits bring all of Foundation, 40 MB that nnpack does not need.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
  ],
  targets: [
    // C and system libraries
    .target(name: "CPlatform", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CNNRT"),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    // Debian's libpng-dev and libjpeg-dev
    .target(name: "CImageFiles", linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),

    // Below the lean line
    .target(name: "NNGraph", dependencies: ["CPlatform"], swiftSettings: lean),
    .target(
      name: "NNKernels", dependencies: ["NNGraph", "CPlatform"],
      swiftSettings: kernels + [.unsafeFlags(["-Osize"], .when(traits: ["Embedded"]))]),
    .target(name: "NNKernelsBaseline", dependencies: ["NNKernels"], swiftSettings: baseline),
    .target(
      name: "NNKernelsX86V3", dependencies: ["NNKernels"],
      swiftSettings: instructionSet("x86-64-v3")),
    .target(
      name: "NNKernelsX86V4", dependencies: ["NNKernels"],
      swiftSettings: instructionSet("x86-64-v4")),
    .target(
      name: "NNFormat", dependencies: ["NNGraph", "CPlatform", "CZstd"],
      exclude: ["SPECIFICATION.md"], swiftSettings: lean),
    .target(
      name: "NNRuntime",
      dependencies: [
        "NNGraph", "NNFormat", "NNKernels", "NNKernelsBaseline", "NNKernelsX86V3",
        "NNKernelsX86V4", "CPlatform",
      ], swiftSettings: lean),
    .target(name: "NNRT", dependencies: ["NNRuntime", "CNNRT", "CPlatform"], swiftSettings: lean),

    // Above the lean line
    .target(name: "NNPasses", dependencies: ["NNRuntime", "NNKernels", "NNGraph"]),
    .target(name: "Files", dependencies: ["NNGraph", "CPlatform"]),
    .target(name: "NumPyFiles", dependencies: ["NNGraph", "CPlatform", "Files", "CZlib"]),
    .target(name: "JSONFiles", dependencies: ["NNGraph"]),
    .target(name: "ImageFiles", dependencies: ["NNGraph", "CImageFiles", "Files"]),
    .target(
      name: "NNOnnx",
      dependencies: [
        "NNPasses", "NNRuntime", "NNGraph", "Files", "CPlatform",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["Schema/onnx-subset.proto"]),
    .target(
      name: "NNTraining",
      dependencies: ["NNPasses", "COpenBLAS", "CPlatform", "Files", "NumPyFiles", "ImageFiles", "JSONFiles"]),
    .target(name: "NNDescription", dependencies: ["NNTraining", "NNGraph", "Files", "JSONFiles"]),
    .target(
      name: "Examples", dependencies: ["NNTraining", "ImageFiles", "Files", "CZstd"],
      exclude: ["Digits/SOURCE.md"],
      resources: [.embedInCode("Digits/digits.zst")]),
    .executableTarget(
      name: "nnpack",
      dependencies: [
        "NNTraining", "NNDescription", "NNOnnx", "NNPasses", "Examples", "Files", "NumPyFiles",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // tools/bench/kernels
    .executableTarget(
      name: "nnbench",
      dependencies: [
        "NNKernels", "NNKernelsBaseline", "NNKernelsX86V3", "NNKernelsX86V4", "NNGraph", "CPlatform",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      // Its loops measure the machine, in tests too.
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),

    // tools/bench/training
    .executableTarget(name: "trainbench", dependencies: ["NNTraining", "CPlatform"]),

    // Tests, and the plain float64 reference they compare with
    .target(
      name: "Reference", dependencies: ["NNGraph"], path: "Tests/Reference",
      swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .executableTarget(name: "test-models", dependencies: ["NNPasses"], path: "Tests/TestModels"),
    .testTarget(name: "ReferenceTests", dependencies: ["Reference"]),
    .testTarget(name: "ExamplesTests", dependencies: ["Examples"]),
    .testTarget(
      name: "nnpackTests",
      dependencies: [
        "nnpack", "NNTraining", "NNDescription", "NNOnnx", "Files", "NumPyFiles", "ImageFiles", "NNRuntime",
        "NNFormat", "NNPasses", "NNGraph",
      ], exclude: ["Snapshots", "Models"]),
    .testTarget(
      name: "NNDescriptionTests", dependencies: ["NNDescription", "NNTraining", "NNGraph", "JSONFiles"]),
    .testTarget(name: "JSONFilesTests", dependencies: ["JSONFiles", "NNGraph"]),
    .testTarget(
      name: "NumPyFilesTests", dependencies: ["NumPyFiles", "NNGraph"], exclude: ["Golden"]),
    .testTarget(name: "ImageFilesTests", dependencies: ["ImageFiles", "NNGraph"]),
    .testTarget(name: "NNGraphTests", dependencies: ["NNGraph"]),
    .testTarget(
      name: "NNKernelsTests",
      dependencies: [
        "NNKernels", "NNKernelsBaseline", "NNKernelsX86V3", "NNKernelsX86V4", "CPlatform",
        "Reference",
      ], swiftSettings: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
    .testTarget(
      name: "nnbenchTests",
      dependencies: [
        "nnbench", "NNKernels", "NNKernelsBaseline", "NNKernelsX86V3", "NNKernelsX86V4", "CPlatform",
      ]),
    .testTarget(name: "NNFormatTests", dependencies: ["NNFormat"], exclude: ["Golden"]),
    .testTarget(
      name: "NNOnnxTests", dependencies: ["NNOnnx", "NNRuntime", "NNFormat", "NNGraph", "Files"],
      exclude: ["Models", "Findings"]),
    .testTarget(name: "NNRTTests", dependencies: ["NNRT"]),
    .testTarget(name: "NNPassesTests", dependencies: ["NNPasses", "NNRuntime", "NNFormat", "NNGraph"]),
    .testTarget(
      name: "NNRuntimeTests",
      dependencies: ["NNRuntime", "NNPasses", "NNOnnx", "NNKernels", "Reference", "CPlatform"]),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .testTarget(
      name: "NNTrainingTests",
      dependencies: [
        "NNTraining", "Reference", "CAllocationCounter", "Files", "NumPyFiles", "ImageFiles",
      ],
      exclude: ["Golden"]),
  ]
)
