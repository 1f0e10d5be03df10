import NNFormat
import NNGraph
import NNPasses
import NNRuntime
import Reference

/// Sebastiano Vigna's SplitMix64: a seeded generator, so that a failing case comes back.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Numbers in -range...range that f32 holds, in steps of 2⁻¹⁰.
  mutating func reals(_ extents: [Int], range: Double = 2, _ dtype: DType = .f32) -> ReferenceTensor {
    let count = extents.reduce(1, *)
    return ReferenceTensor(
      (0..<count).map { _ in (Double.random(in: -range...range, using: &self) * 1024).rounded() / 1024 },
      extents: extents, dtype: dtype)
  }

  /// Whole numbers in `range` as f32 or f64: sums of their products are exact, so results can be compared exactly.
  mutating func wholes(_ extents: [Int], _ range: ClosedRange<Int> = -4...4, _ dtype: DType = .f32)
    -> ReferenceTensor
  {
    let count = extents.reduce(1, *)
    return ReferenceTensor(
      (0..<count).map { _ in Double(Int.random(in: range, using: &self)) }, extents: extents, dtype: dtype)
  }

  mutating func integers(_ extents: [Int], _ range: ClosedRange<Int64>, _ dtype: DType = .i64)
    -> ReferenceTensor
  {
    let count = extents.reduce(1, *)
    return ReferenceTensor(
      integers: (0..<count).map { _ in Int64.random(in: range, using: &self) }, extents: extents, dtype: dtype
    )
  }
}

/// The instruction sets that this machine can run, baseline first.
let instructionSets = [InstructionSetLevel.baseline, .v3, .v4].filter { $0.isAvailable }

func run(_ graph: Graph, _ inputs: [ReferenceTensor], _ options: Session.Options = .init()) throws -> [Tensor]
{
  let session = try Session(try Model(ModelFile(graph: graph)), options: options)
  return try session(try inputs.map { try $0.tensor() })
}

func bits(_ tensors: [Tensor]) -> [[UInt8]] { tensors.map { Array($0.bytes) } }

/// The error that `body` throws, or nil.
func thrown(_ body: () throws -> Void) -> NNError? {
  do {
    try body()
    return nil
  } catch {
    return error as? NNError
  }
}

extension Session {
  func setInput(_ index: Int, _ tensor: ReferenceTensor) throws {
    let bytes = tensor.bytes
    try tensor.extents.withUnsafeBufferPointer { extents in
      try bytes.withUnsafeBytes { try setInput(index, dtype: tensor.dtype, extents: extents, bytes: $0) }
    }
  }
}

extension Graph {
  /// A constant with the reference's numbers.
  mutating func constant(_ name: Name, _ tensor: ReferenceTensor) throws -> ValueID {
    addConstant(name, try tensor.tensor())
  }
}

/// Small networks that several tests run.
enum Networks {
  /// x (N, 20) → Dense 33, relu → Dense 17, tanh → Dense 5, softmax: odd widths, so that panels have tails.
  static func perceptron(seed: UInt64 = 1) throws -> Graph {
    var random = SplitMix64(seed: seed)
    var graph = Graph(name: "perceptron")
    let n = graph.dimension("N")
    var x = graph.addInput("x", .f32, Shape([n, .fixed(20)]))
    var width = 20
    for (next, function) in [(33, UnaryFunction.relu), (17, .tanh), (5, .identity)] {
      let weight = try graph.constant("weight", random.reals([width, next], range: 0.5))
      let bias = try graph.constant("bias", random.reals([next]))
      x = try graph.append(.matmul(Matmul()), [x, weight, bias], name: "dense")
      x = try graph.append(.unary(Activation(function)), [x], name: "activation")
      width = next
    }
    graph.addOutput(try graph.append(.softmax(Softmax(.softmax, axis: 1)), [x]), name: "y")
    return graph
  }

  /// x (N, 3, 9, 7) → convolutions with batch normalisation and a residual connection → pooling → Dense.
  static func convolutional(seed: UInt64 = 2) throws -> Graph {
    var random = SplitMix64(seed: seed)
    var graph = Graph(name: "convolutional")
    let n = graph.dimension("N")
    let x = graph.addInput("x", .f32, Shape([n, .fixed(3), .fixed(9), .fixed(7)]))
    let same = Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])
    func convolution(_ x: ValueID, _ channels: Int, _ filters: Int) throws -> ValueID {
      let weight = try graph.constant("weight", random.reals([filters, channels, 3, 3], range: 0.5))
      let bias = try graph.constant("bias", random.reals([filters]))
      return try graph.append(
        .convolution(Convolution(window: same)), [x, weight, bias], name: "convolution")
    }
    let first = try graph.append(.unary(Activation(.relu)), [try convolution(x, 3, 6)])
    var statistics = try (0..<4).map { try graph.constant(Name("statistic \($0)"), random.reals([6])) }
    statistics[3] = try graph.constant("variance", ReferenceTensor([1, 2, 3, 0.5, 0.25, 4], extents: [6]))
    let normal = try graph.append(.normalize(Normalize(.batch, epsilon: 1e-3)), [first] + statistics)
    let second = try graph.append(.unary(Activation(.silu)), [try convolution(normal, 6, 6)])
    let sum = try graph.append(.binary(.add), [second, first], name: "residual")
    let pool = Pool(.maximum, window: Window(extent: [2, 2], strides: [2, 2]))
    let pooled = try graph.append(.pool(pool), [sum])
    let flat = try graph.append(.reshape(Shape([n, .fixed(72)])), [pooled])
    let weight = try graph.constant("head", random.reals([72, 10], range: 0.25))
    graph.addOutput(try graph.append(.matmul(Matmul()), [flat, weight]), name: "y")
    return graph
  }
}
