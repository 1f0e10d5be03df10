import NNFormat
import NNGraph
import NNOnnx
import NNPasses
import NNRuntime
import Reference
import Testing

/// What a graph becomes on its way to ONNX and back.
private func cycled(_ graph: Graph) throws -> Graph {
  let bytes = try ModelFile(graph: graph).exportedToOnnx().serialized()
  return try bytes.withUnsafeBytes { try OnnxModel(bytes: $0, folder: nil) }.imported()
}

extension OperatorCase {
  /// Whether ONNX has no words for the operator.
  fileprivate var isOurOwn: Bool {
    switch op {
    case .recurrentGradient, .poolGradient: true
    case .recurrent(let recurrent): recurrent.keepsSlopes
    case .convolutionWeightGradient: inputs[1].extents.contains(0)
    case .unfold(let window):
      (0..<2).contains { window.outputExtent(axis: $0, of: inputs[0].extents[2 + $0]) == 0 }
    case .reduce(let reduce):
      reduce.function == .mean && !reduce.axes.isEmpty && inputs[0].dtype == .u64
    default: false
    }
  }

  /// Whether the operator is composed of others in ONNX, which round in other places.
  fileprivate var isComposed: Bool {
    switch op {
    case .unary(let activation):
      switch activation.function {
      case .silu, .logarithm1p, .exponentialMinus1: true
      case .elu, .softplus, .tangent, .sinh, .cosh: inputs[0].dtype == .f64
      default: false
      }
    case .convolution(let convolution): convolution.activation.function == .silu
    case .recurrent, .normalizeTraining, .convolutionWeightGradient: true
    case .random(let function, _): function == .normal
    default: false
    }
  }
}

/// The largest difference of two tensors of fractions, relative to their largest number; infinite if they differ otherwise.
private func difference(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.type == b.type, a.dtype.isFloatingPoint else { return .infinity }
  let (x, y) = (ReferenceTensor(a).values, ReferenceTensor(b).values)
  let largest = x.reduce(1e-30) { $1.isFinite ? max($0, abs($1)) : $0 }
  return zip(x, y).reduce(0) { worst, pair in
    if pair.0 == pair.1 || pair.0.isNaN && pair.1.isNaN { return worst }
    let distance = abs(pair.0 - pair.1) / largest
    return distance.isNaN ? .infinity : max(worst, distance)
  }
}

@Test(arguments: families) func operatorIsTheSameAfterGoingToOnnxAndBack(_ family: Op) throws {
  for sample in OperatorCases.cases(for: family) {
    let label = "\(sample.op) of \(sample.inputs.map { "\($0.dtype)\($0.extents)" })"
    let graph = try sample.graph()
    guard !sample.isOurOwn else {
      let error = thrown { _ = try cycled(graph) }
      #expect(
        error?.code == .unsupportedOperator && error?.message.contains("node \"node\"") == true, "\(label)")
      continue
    }
    let expected = try run(graph, sample.inputs)[0]
    let result: Tensor
    do {
      result = try run(try cycled(graph), sample.inputs)[0]
    } catch let error as NNError {
      Issue.record("\(label): \(error.message)")
      continue
    }
    let isSame = result.type == expected.type && bits([result]) == bits([expected])
    guard !isSame else { continue }
    let distance = difference(expected, result)
    #expect(sample.isComposed && distance < 4e-6, "\(label): \(distance) of the largest number")
  }
}

@Test func networksAreTheSameAfterGoingToOnnxAndBack() throws {
  for (graph, extents) in [
    (try Networks.perceptron(), [[1, 20], [7, 20]]),
    (try Networks.convolutional(), [[1, 3, 9, 7], [3, 3, 9, 7]]),
  ] {
    for packed in [graph, try graph.packed()] {
      let back = try cycled(packed)
      #expect(back.symbols == graph.symbols)
      var random = SplitMix64(seed: 5)
      for extents in extents {
        let x = random.reals(extents)
        // The activation SiLU is a product in ONNX.
        let (a, b) = (try run(packed, [x])[0], try run(try back.packed(Pass.allCases), [x])[0])
        #expect(difference(a, b) < 1e-6)
      }
    }
  }
}

@Test func randomGraphsAreTheSameAfterGoingToOnnxAndBack() throws {
  for seed in 0..<40 as Range<UInt64> {
    let (graph, inputs) = try RandomGraphs.make(seed: seed, nodes: 30)
    #expect(bits(try run(try cycled(graph), inputs)) == bits(try run(graph, inputs)), "seed \(seed)")
    let (other, values) = try RandomGraphs.makeElementwise(seed: seed, nodes: 20)
    #expect(bits(try run(try cycled(other), values)) == bits(try run(other, values)), "seed \(seed)")
  }
}
