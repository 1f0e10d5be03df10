import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NumPyFiles

/// What a run of the program gave.
struct Outcome {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs the nnpack that was built with these tests.
func nnpack(_ arguments: String...) throws -> Outcome { try nnpack(arguments) }

/// - Parameters:
///   - terminal: where standard output goes instead of into the outcome.
///   - shell: commands that set limits before the program runs.
///   - isDoomed: asked again and again while the program runs; once it is true the program is killed, as by `kill -9`. The status
///     is then 9.
func nnpack(
  _ arguments: [String], terminal: FileHandle? = nil, after shell: String? = nil,
  killedWhen isDoomed: (() -> Bool)? = nil
) throws -> Outcome {
  let process = Process()
  // The tests are a program of their own that stands beside nnpack.
  let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("nnpack")
  if let shell {
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", shell + "; exec \"$0\" \"$@\"", program.path] + arguments
  } else {
    process.executableURL = program
    process.arguments = arguments
  }
  var environment = ProcessInfo.processInfo.environment
  environment["TERM"] = "xterm"
  environment["NNRT_ISA"] = nil
  process.environment = environment
  // Files instead of pipes: nobody has to empty them while the program runs.
  return try withTemporaryFolder { folder in
    let (output, errors) = (folder + "/output", folder + "/errors")
    for path in [output, errors] { try Data().write(to: URL(fileURLWithPath: path)) }
    process.standardOutput = try terminal ?? FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    process.standardInput = FileHandle.nullDevice
    try process.run()
    if let isDoomed {
      while process.isRunning, !isDoomed() { usleep(1000) }
      kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: try String(contentsOfFile: output, encoding: .utf8),
      errors: try String(contentsOfFile: errors, encoding: .utf8))
  }
}

/// Gives `body` a new folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "nnpack-tests-" + UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// A file that is the same everywhere: stored raw, so that no version of zstd shows.
///
/// y = softmax(relu(x·W + b)·V) for x (N, 2), with one self-test vector.
func writeModel(_ path: String, selfTest: [Float]? = nil) throws {
  var graph = Graph(name: "small")
  let x = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(2)]))
  let weight = graph.addConstant("W", try Tensor([1, -1, 0.5, 2, 0, 1], extents: [2, 3]))
  let bias = graph.addConstant("b", try Tensor([0, 0.25, -0.25], extents: [3]))
  let hidden = try graph.append(
    .matmul(Matmul(activation: Activation(.relu))), [x, weight, bias], name: "hidden")
  let head = graph.addConstant("V", try Tensor([1, 0, 0, 1, 1, 1] as [Float], extents: [3, 2]))
  let logits = try graph.append(.matmul(Matmul()), [hidden, head], name: "logits")
  graph.addOutput(
    try graph.append(.softmax(Softmax(.softmax, axis: 1)), [logits], name: "softmax"), name: "y")
  var file = ModelFile(graph: graph)
  file.metadata.name = "small"
  file.metadata.licence = "CC0-1.0"
  file.metadata.labels = ["cat", "dog"]
  let input = try Tensor([1, 2] as [Float], extents: [1, 2])
  let output: [Tensor]
  if let selfTest {
    output = [try Tensor(selfTest, extents: [1, 2])]
  } else {
    output = try Session(try Model(file))([input])
  }
  file.selfTests = [SelfTest(inputs: [input], outputs: output)]
  try file.write(to: path, WriteOptions(codec: .raw))
}

func writeArray(_ values: [Float], _ extents: [Int], to path: String) throws {
  try values.withUnsafeBytes { try NPYFile.write(dtype: .f32, extents: extents, bytes: $0, to: path) }
}
