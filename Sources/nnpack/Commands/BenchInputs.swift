import NNGraph
import NNPasses
import NNRuntime

/// What `bench` feeds a model with.
enum BenchInputs {
  /// Seeded uniform numbers in [0, 1) for f32, zeros for every other type.
  static func tensor(_ dtype: DType, _ extents: [Int]) throws -> Tensor {
    let size = try Tensor.byteCount(dtype: dtype, extents: extents, layout: .rowMajor)
    var random = UniformNumbers(seed: 1)
    let storage = try TensorStorage.allocate(size: size) { (memory) throws(NNError) in
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      guard dtype == .f32 else { return }
      for offset in stride(from: 0, to: size, by: 4) {
        memory.storeBytes(of: random.next(), toByteOffset: offset, as: Float.self)
      }
    }
    return try Tensor(dtype: dtype, extents: extents, storage: storage)
  }
}

extension Session {
  /// Copies a row-major tensor into the session.
  func setInput(_ index: Int, _ tensor: Tensor) throws {
    try tensor.extents.withUnsafeBufferPointer { extents in
      try setInput(index, dtype: tensor.dtype, extents: extents, bytes: tensor.bytes)
    }
  }
}

extension ResolvedGraph {
  /// Multiplications and additions of all matrix products and convolutions; saturates.
  func productOperations(_ graph: Graph) -> Int {
    var total = 0
    for (node, op) in zip(graph.nodes, ops) {
      var result = types[node.outputs[0].index].shape.elementCount ?? 0
      let inner: Int
      switch op {
      case .matmul(let matmul):
        let a = types[node.inputs[0].index].shape
        inner = a[matmul.transposesA ? a.rank - 2 : a.rank - 1].extent ?? 0
      case .convolution:
        let weight = types[node.inputs[1].index].shape
        inner = weight.dimensions.dropFirst().reduce(1) { $0 * ($1.extent ?? 0) }
      case .recurrent:
        result = types[node.inputs[0].index].shape.elementCount ?? 0
        inner = types[node.inputs[1].index].shape[0].extent ?? 0
      case .unary, .binary, .compare, .select, .reduce, .argument, .pool, .normalize, .softmax,
        .recurrentGradient, .reshape, .transpose,
        .expand, .slice, .pad, .concat, .gather, .scatter, .argsort, .cast, .dynamic, .random,
        .normalizeTraining,
        .convolutionWeightGradient, .unfold, .fold, .poolGradient:
        continue
      }
      // Extents are at most 2^48 each, but a model from a file may multiply several of them.
      let (once, overflow) = result.multipliedReportingOverflow(by: inner)
      let (twice, overflowTwice) = once.multipliedReportingOverflow(by: 2)
      let (sum, overflowSum) = total.addingReportingOverflow(twice)
      if overflow || overflowTwice || overflowSum { return Int.max }
      total = sum
    }
    return total
  }
}
