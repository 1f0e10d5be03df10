import NNFormat
import NNGraph

/// Splitmix64 (Steele, Lea and Flood 2014): the same numbers from the same seed everywhere.
struct TestRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in −limit ..< limit.
  mutating func float(_ limit: Float) -> Float {
    (Float(next() >> 40) * 0x1p-24 * 2 - 1) * limit
  }
}

/// A tensor of any type from its bytes.
func tensor(_ dtype: DType, _ extents: [Int], layout: TensorLayout = .rowMajor, bytes: [UInt8]) throws
  -> Tensor
{
  let storage = try TensorStorage.allocate(size: bytes.count) { (memory) throws(NNError) in
    bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
  }
  return try Tensor(dtype: dtype, extents: extents, layout: layout, storage: storage)
}

/// An f32 matrix (K, N) in panels.
func panels(_ values: [Float], rows: Int, columns: Int) throws -> Tensor {
  let width = TensorLayout.panelWidth
  var stored = [Float](repeating: 0, count: (columns + width - 1) / width * rows * width)
  for row in 0..<rows {
    for column in 0..<columns {
      stored[((column / width) * rows + row) * width + column % width] = values[row * columns + column]
    }
  }
  return try tensor(.f32, [rows, columns], layout: .panels, bytes: stored.withUnsafeBytes { Array($0) })
}

/// A multilayer perceptron with Glorot-uniform weights (Glorot and Bengio 2010) in panels, zero biases and softmax.
func mlp(_ widths: [Int], seed: UInt64 = 1) throws -> ModelFile {
  var random = TestRandom(seed: seed)
  var graph = Graph(name: "mlp")
  let batch = graph.dimension("N")
  var x = graph.addInput("pixels", .f32, Shape([batch, .fixed(widths[0])]))
  for layer in 1..<widths.count {
    let (inputs, outputs) = (widths[layer - 1], widths[layer])
    let limit = (6 / Float(inputs + outputs)).squareRoot()
    let weights = (0..<inputs * outputs).map { _ in random.float(limit) }
    let weight = graph.addConstant(
      Name("dense\(layer).weight"), try panels(weights, rows: inputs, columns: outputs))
    let bias = graph.addConstant(
      Name("dense\(layer).bias"), try Tensor([Float](repeating: 0, count: outputs), extents: [outputs]))
    let activation = Activation(layer == widths.count - 1 ? .identity : .relu)
    x = try graph.append(
      .matmul(Matmul(activation: activation)), [x, weight, bias], name: Name("dense\(layer)"))
  }
  let y = try graph.append(.softmax(Softmax(.softmax, axis: 1)), [x], name: "probabilities")
  graph.addOutput(y, name: "probabilities")
  var model = ModelFile(graph: graph)
  model.metadata.name = "mlp"
  model.metadata.licence = "CC-BY-4.0"
  model.metadata.labels = (0..<10).map { Name("\($0)") }
  let input = (0..<2 * widths[0]).map { _ in Float(random.next() >> 60) / 16 }
  let output = (0..<2 * widths[widths.count - 1]).map { _ in abs(random.float(1)) }
  model.selfTests = [
    SelfTest(
      inputs: [try Tensor(input, extents: [2, widths[0]])],
      outputs: [try Tensor(output, extents: [2, widths[widths.count - 1]])])
  ]
  return model
}

extension ModelFile {
  /// Decodes an array, copying what is kept.
  static func decode(
    _ bytes: [UInt8], limits: ReadLimits = ReadLimits(), by team: DecodingTeam = .alone
  ) throws(NNError) -> ModelFile {
    let result = bytes.withUnsafeBytes { (bytes) -> Result<ModelFile, NNError> in
      do throws(NNError) {
        return .success(try decode(bytes, keptAliveBy: nil, limits: limits, by: team))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  static func layout(of bytes: [UInt8]) throws(NNError) -> FileLayout {
    let result = bytes.withUnsafeBytes { (bytes) -> Result<FileLayout, NNError> in
      do throws(NNError) { return .success(try layout(of: bytes)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
