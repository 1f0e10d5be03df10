import NNFormat
import NNGraph
import NNPasses
import NNRuntime

/// Writes the models that the tests of the C API and of the Python package open: `test-models FOLDER`.
///
/// All are small, made from fixed pseudo-random numbers, and carry self-test vectors computed here.
@main
struct TestModels {
  static func main() {
    guard CommandLine.arguments.count == 2 else {
      print("usage: test-models FOLDER")
      return
    }
    let folder = CommandLine.arguments[1]
    do {
      try write(perceptron(), to: folder + "/mlp.nnrt")
      try write(perceptron(), to: folder + "/mlp-raw.nnrt", .init(codec: .raw))
      try write(convolutional(), to: folder + "/cnn.nnrt")
      try write(lookup(), to: folder + "/lookup.nnrt")
      try write(casts(), to: folder + "/casts.nnrt")
      try write(types(), to: folder + "/types.nnrt")
      try write(counter(), to: folder + "/counter.nnrt")
      try write(wide(), to: folder + "/wide.nnrt")
      try write(images(), to: folder + "/images.nnrt")
    } catch {
      fatalError("test-models: \(error.message)")
    }
  }

  private static func write(_ file: ModelFile, to path: String, _ options: WriteOptions = WriteOptions())
    throws(NNError)
  {
    try file.write(to: path, options)
  }
}

/// A sequence of numbers in -0.5 ..< 0.5, the same on every machine (Knuth's linear congruential generator, MMIX).
struct Numbers {
  var state: UInt64 = 1

  mutating func next(_ count: Int) -> [Float] {
    var values: [Float] = []
    for _ in 0..<count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      values.append(Float(state >> 40) / Float(1 << 24) - 0.5)
    }
    return values
  }

  mutating func tensor(_ extents: [Int]) throws(NNError) -> Tensor {
    try Tensor(next(extents.reduce(1, *)), extents: extents)
  }
}

/// The graph ready to ship, with vectors for the given inputs.
private func ship(_ graph: Graph, _ metadata: Metadata = Metadata(), vectors: [[Tensor]]) throws(NNError)
  -> ModelFile
{
  let packed = try graph.packed()
  var file = ModelFile(graph: packed, metadata: metadata)
  let session = try Session(Model(file))
  for inputs in vectors { file.selfTests.append(SelfTest(inputs: inputs, outputs: try session(inputs))) }
  return file
}

/// pixels (N, 16) → 24 → probabilities (N, 4), with metadata and labels.
private func perceptron() throws(NNError) -> ModelFile {
  var numbers = Numbers()
  var graph = Graph(name: "mlp")
  let pixels = graph.addInput("pixels", .f32, Shape([graph.dimension("N"), .fixed(16)]))
  let weight1 = graph.addConstant("dense1.weight", try numbers.tensor([16, 24]))
  let bias1 = graph.addConstant("dense1.bias", try numbers.tensor([24]))
  let hidden = try graph.append(.matmul(Matmul()), [pixels, weight1, bias1], name: "dense1")
  let active = try graph.append(.unary(Activation(.relu)), [hidden], name: "relu")
  let weight2 = graph.addConstant("dense2.weight", try numbers.tensor([24, 4]))
  let bias2 = graph.addConstant("dense2.bias", try numbers.tensor([4]))
  let logits = try graph.append(.matmul(Matmul()), [active, weight2, bias2], name: "dense2")
  let result = try graph.append(.softmax(Softmax(.softmax, axis: 1)), [logits], name: "softmax")
  graph.addOutput(result, name: "probabilities")

  var metadata = Metadata()
  metadata.name = "A small perceptron"
  metadata.description = "Für Tests: four classes of nothing."
  metadata.licence = "CC0-1.0"
  metadata.labels = ["nord", "süd", "ost", "west"]
  metadata["test.key"] = "test value"
  return try ship(graph, metadata, vectors: [[try numbers.tensor([1, 16])], [try numbers.tensor([3, 16])]])
}

/// image (N, 1, 8, 8) → convolution, pooling, dense → scores (N, 3)
private func convolutional() throws(NNError) -> ModelFile {
  var numbers = Numbers()
  var graph = Graph(name: "cnn")
  let batch = graph.dimension("N")
  let image = graph.addInput("image", .f32, Shape([batch, .fixed(1), .fixed(8), .fixed(8)]))
  let filters = graph.addConstant("conv.weight", try numbers.tensor([5, 1, 3, 3]))
  let offsets = graph.addConstant("conv.bias", try numbers.tensor([5]))
  let convolution = Convolution(
    window: Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1]))
  let maps = try graph.append(.convolution(convolution), [image, filters, offsets], name: "conv")
  let active = try graph.append(.unary(Activation(.tanh)), [maps], name: "tanh")
  let pool = Pool(.maximum, window: Window(extent: [2, 2], strides: [2, 2]))
  let pooled = try graph.append(.pool(pool), [active], name: "pool")
  let flat = try graph.append(.reshape(Shape([batch, .fixed(80)])), [pooled], name: "flatten")
  let weight = graph.addConstant("dense.weight", try numbers.tensor([80, 3]))
  let scores = try graph.append(.matmul(Matmul()), [flat, weight], name: "dense")
  graph.addOutput(scores, name: "scores")
  return try ship(graph, vectors: [[try numbers.tensor([2, 1, 8, 8])]])
}

/// table (R, 3), rows i64 (N) → rows (N, 3) and sum (N), two inputs and two outputs; indices may be out of range.
private func lookup() throws(NNError) -> ModelFile {
  var numbers = Numbers()
  var graph = Graph(name: "lookup")
  let table = graph.addInput("table", .f32, Shape([graph.dimension("R"), .fixed(3)]))
  let rows = graph.addInput("rows", .i64, Shape([graph.dimension("N")]))
  let picked = try graph.append(.gather(axis: 0), [table, rows], name: "gather")
  let reduce = Reduce(.sum, axes: [1], keepsDimensions: false)
  let sums = try graph.append(.reduce(reduce), [picked], name: "sum")
  graph.addOutput(picked, name: "picked")
  graph.addOutput(sums, name: "sums")
  let vector = [try numbers.tensor([4, 3]), try Tensor([Int64(3), 0, -1], extents: [3])]
  return try ship(graph, vectors: [vector])
}

/// bytes u8 (4) → halves f16 (4) and flags bool (4), with no free extent.
private func casts() throws(NNError) -> ModelFile {
  var graph = Graph(name: "casts")
  let bytes = graph.addInput("bytes", .u8, [4])
  graph.addOutput(try graph.append(.cast(.f16), [bytes], name: "to f16"), name: "halves")
  graph.addOutput(try graph.append(.cast(.bool), [bytes], name: "to bool"), name: "flags")
  return try ship(graph, vectors: [])
}

/// For every element type an input (N), the same elements, and their numbers in f32.
private func types() throws(NNError) -> ModelFile {
  var graph = Graph(name: "types")
  let n = graph.dimension("N")
  for dtype in DType.allCases {
    let x = graph.addInput(Name("\(dtype.name)"), dtype, Shape([n]))
    graph.addOutput(try graph.append(.unary(.identity), [x], name: "same"), name: Name("\(dtype.name) again"))
    graph.addOutput(try graph.append(.cast(.f32), [x], name: "number"), name: Name("\(dtype.name) number"))
  }
  return try ship(graph, vectors: [])
}

/// step f32 (1), count f32 (1) → count + step, carried from run to run.
private func counter() throws(NNError) -> ModelFile {
  var graph = Graph(name: "counter")
  let step = graph.addInput("step", .f32, [1])
  let count = graph.addInput("count", .f32, [1])
  let next = try graph.append(.binary(.add), [count, step], name: "add")
  graph.addOutput(next, name: "next")
  graph.states.append(CarriedState(input: count, output: next))
  return try ship(graph, vectors: [])
}

/// x (N, 512) → four dense layers of 512: enough work to measure, and for threads to share.
private func wide() throws(NNError) -> ModelFile {
  var numbers = Numbers()
  var graph = Graph(name: "wide")
  var value = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(512)]))
  for layer in 0..<4 {
    let weight = graph.addConstant(Name("dense\(layer).weight"), try numbers.tensor([512, 512]))
    value = try graph.append(.matmul(Matmul()), [value, weight], name: Name("dense\(layer)"))
    value = try graph.append(.unary(Activation(.tanh)), [value], name: Name("tanh\(layer)"))
  }
  graph.addOutput(value, name: "y")
  return try ship(graph, vectors: [])
}

/// images (N, 8, 16, 16) → two convolutions with pooling, dense → scores (N, 10): more work than one thread does alone.
private func images() throws(NNError) -> ModelFile {
  var numbers = Numbers()
  var graph = Graph(name: "images")
  let batch = graph.dimension("N")
  var value = graph.addInput("images", .f32, Shape([batch, .fixed(8), .fixed(16), .fixed(16)]))
  let convolution = Convolution(
    window: Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1]))
  for (channels, filters) in [(8, 24), (24, 32)] {
    let weight = graph.addConstant("conv.weight", try numbers.tensor([filters, channels, 3, 3]))
    let bias = graph.addConstant("conv.bias", try numbers.tensor([filters]))
    value = try graph.append(.convolution(convolution), [value, weight, bias], name: "conv")
    value = try graph.append(.unary(Activation(.relu)), [value], name: "relu")
    let pool = Pool(.maximum, window: Window(extent: [2, 2], strides: [2, 2]))
    value = try graph.append(.pool(pool), [value], name: "pool")
  }
  value = try graph.append(.reshape(Shape([batch, .fixed(32 * 4 * 4)])), [value], name: "flatten")
  let weight = graph.addConstant("dense.weight", try numbers.tensor([32 * 4 * 4, 10]))
  graph.addOutput(try graph.append(.matmul(Matmul()), [value, weight], name: "dense"), name: "scores")
  return try ship(graph, vectors: [])
}
