@testable import NNFormat
import NNGraph

/// An operator with inputs that it accepts. `.named(0)` is the batch.
struct OperatorSample {
  var op: Op
  var inputs: [TensorType]

  init(_ op: Op, _ inputs: TensorType...) {
    self.op = op
    self.inputs = inputs
  }
}

private let n = Dimension.named(0)

private func f32(_ dimensions: Dimension...) -> TensorType { TensorType(.f32, Shape(dimensions)) }

private func f32(_ first: Int, _ rest: Int...) -> TensorType { TensorType(.f32, Shape([first] + rest)) }

private let window = Window(
  extent: [3, 2], strides: [2, 1], dilations: [1, 2], paddingBefore: [1, 0], paddingAfter: [0, 2])

private let poolWindow = Window(
  extent: [3, 2], strides: [1, 2], paddingBefore: [2, 1], paddingAfter: [0, 1])

extension OpCode {
  /// Valid nodes of this family that between them use every member and every attribute with telling values.
  var samples: [OperatorSample] {
    switch self {
    case .unary:
      UnaryFunction.allCases.map { .init(.unary(Activation($0, alpha: 0.01, beta: -2.5)), f32(n, .fixed(3))) }
    case .binary:
      BinaryFunction.allCases.map { function in
        let op = Op.binary(function)
        if op.computeType(for: .f32) != nil { return .init(op, f32(n, .fixed(1)), f32(3)) }
        return .init(op, TensorType(.i64, Shape([n])), TensorType(.i64, [1]))
      }
    case .compare:
      CompareFunction.allCases.map {
        .init(.compare($0), TensorType(.i64, [2, 1]), TensorType(.i64, Shape([n, .fixed(2), .fixed(3)])))
      }
    case .select: [.init(.select, TensorType(.bool, [3]), f32(n, .fixed(3)), f32())]
    case .reduce:
      ReduceFunction.allCases.map {
        .init(.reduce(Reduce($0, axes: [0, 2], keepsDimensions: $0.rawValue % 2 == 0)), f32(2, 3, 4))
      } + [.init(.reduce(Reduce(.sum, axes: [], keepsDimensions: false)), f32(n))]
    case .argument:
      [
        .init(.argument(ArgumentReduce(findsMaximum: true, axis: 1, keepsDimensions: false)), f32(2, 3)),
        .init(.argument(ArgumentReduce(findsMaximum: false, axis: 0, keepsDimensions: true)), f32(2, 3)),
        .init(
          .argument(ArgumentReduce(findsMaximum: true, selectsLast: true, axis: 0, keepsDimensions: true)),
          f32(2, 3)),
      ]
    case .matmul:
      [
        .init(.matmul(Matmul(activation: Activation(.relu))), f32(n, .fixed(4)), f32(4, 3), f32(3)),
        .init(.matmul(Matmul(transposesA: true)), f32(.fixed(4), n), f32(4, 3)),
        .init(.matmul(Matmul(transposesB: true)), f32(5, 2, 4), f32(1, 3, 4)),
        .init(.matmul(Matmul(transposesA: true, transposesB: true)), f32(4, 2), f32(3, 4)),
      ]
    case .convolution:
      [
        .init(
          .convolution(Convolution(window: window, groups: 2, activation: Activation(.clip, beta: 6))),
          f32(n, .fixed(4), .fixed(9), .fixed(8)), f32(6, 2, 3, 2), f32(6))
      ]
    case .pool:
      PoolFunction.allCases.map {
        .init(.pool(Pool($0, window: poolWindow, countsPadding: $0 == .average)), f32(1, 2, 9, 8))
      }
    case .normalize: Normalize.Kind.allCases.map { kind in normalizeSample(kind) }
    case .softmax: SoftmaxFunction.allCases.map { .init(.softmax(Softmax($0, axis: 1)), f32(n, .fixed(3))) }
    case .recurrent: recurrentSamples
    case .recurrentGradient:
      [false, true].map {
        .init(
          .recurrentGradient(Recurrent(.gru, isReversed: !$0, keepsSlopes: true), ofStates: $0),
          f32(2, 8, 18),
          f32(3, 9), f32(2, 7, 3))
      }
    case .reshape: [.init(.reshape(Shape([n, .unknown])), f32(n, .fixed(4), .fixed(3)))]
    case .transpose:
      [.init(.transpose([2, 0, 1]), f32(n, .fixed(4), .fixed(3))), .init(.transpose([]), f32())]
    case .expand: [.init(.expand(Shape([n, .fixed(4), .fixed(3)])), f32(1, 3))]
    case .slice: sliceSamples
    case .pad:
      [
        .init(.pad(Pad(before: [1, 0], after: [0, 2], value: -.infinity)), f32(2, 3)),
        .init(.pad(Pad(before: [1, 0], after: [0, 2])), TensorType(.i64, [2, 3]), TensorType(.i64, [])),
      ]
    case .concat: [.init(.concat(axis: 1), f32(2, 3), f32(2, 1), f32(2, 0)), .init(.concat(axis: 0), f32(n))]
    case .gather: [.init(.gather(axis: 0), f32(10, 4), TensorType(.i64, Shape([n])))]
    case .scatterAdd: [.init(.scatter(.add, axis: 0), f32(10, 4), TensorType(.i32, [3]), f32(3, 4))]
    case .scatter:
      ScatterFunction.allCases.filter { $0 != .add }.map {
        .init(
          .scatter($0, axis: 1), f32(4, 10), TensorType(.i64, Shape([n])),
          TensorType(.f32, Shape([.fixed(4), n])))
      }
    case .argsort: [true, false].map { .init(.argsort(axis: 1, isDescending: $0), f32(n, .fixed(4))) }
    case .cast: DType.allCases.map { .init(.cast($0), f32(n)) }
    case .castWithMode:
      CastMode.allCases.dropFirst().map { .init(.cast($0 == .bits ? .u32 : .f8e8m0, mode: $0), f32(n)) }
    case .dynamic: dynamicSamples
    case .random:
      RandomFunction.allCases.map {
        .init(.random($0, stream: .max - 3), f32(n, .fixed(2)), TensorType(.i64, [2]))
      }
    case .normalizeTraining:
      [
        .init(.normalizeTraining(NormalizeTraining(.channelMoments)), f32(n, .fixed(3), .fixed(5))),
        .init(.normalizeTraining(NormalizeTraining(.channelProducts)), f32(4, 3, 5), f32(4, 3, 5), f32(2, 3)),
        .init(
          .normalizeTraining(NormalizeTraining(.layerGradient, epsilon: 1e-5)), f32(4, 5), f32(5), f32(4, 5)),
        .init(
          .normalizeTraining(NormalizeTraining(.batchGradient, epsilon: 1e-3)), f32(4, 3, 5), f32(4, 3, 5),
          f32(3),
          f32(2, 3), f32(2, 3)),
      ]
    case .convolutionWeightGradient:
      [.init(.convolutionWeightGradient(window, groups: 2), f32(3, 2, 9, 8), f32(3, 4, 4, 8))]
    case .unfold: [.init(.unfold(window), f32(n, .fixed(2), .fixed(9), .fixed(8)))]
    case .fold: [.init(.fold(window, height: 9, width: 8), f32(1, 12, 32))]
    case .poolGradient:
      [.init(.poolGradient(Pool(.maximum, window: poolWindow)), f32(1, 2, 9, 8), f32(1, 2, 9, 5))]
    }
  }

  private var dynamicSamples: [OperatorSample] {
    let axis = TensorType(.i64, [1])
    return [
      .init(.dynamic(.shape), f32(n, .fixed(3))),
      .init(.dynamic(.reshape(allowsZero: true)), f32(n, .fixed(3)), TensorType(.i64, [4])),
      .init(.dynamic(.expand), f32(3, 1), TensorType(.i64, [3])),
      .init(.dynamic(.slice(axes: [1])), f32(n, .fixed(3)), axis, axis, axis),
      .init(.dynamic(.pad(axes: [0], value: -0.0)), f32(n, .fixed(3)), TensorType(.i64, [2])),
      .init(.dynamic(.range), TensorType(.i64, []), axis, axis),
      .init(.dynamic(.nonZero), f32(n, .fixed(2))),
      .init(.dynamic(.unique(axis: 1, sorts: true)), f32(n, .fixed(2))),
      .init(.dynamic(.unique(axis: nil, sorts: false)), f32(n, .fixed(2))),
      .init(
        .dynamic(.nonMaxSuppression(isCentered: true)), f32(n, .fixed(6), .fixed(4)),
        f32(n, .fixed(2), .fixed(6)), axis, f32(1), f32(1)),
    ]
  }

  private func normalizeSample(_ kind: Normalize.Kind) -> OperatorSample {
    switch kind {
    case .batch:
      OperatorSample(
        .normalize(Normalize(.batch, epsilon: 1e-3)), f32(n, .fixed(3), .fixed(4)), f32(3), f32(3), f32(3),
        f32(3))
    case .layer:
      OperatorSample(.normalize(Normalize(.layer, epsilon: 1e-5)), f32(n, .fixed(5)), f32(5), f32(5))
    }
  }

  private var recurrentSamples: [OperatorSample] {
    let mask = TensorType(.bool, Shape([n, .fixed(7)]))
    return [
      .init(
        .recurrent(Recurrent(.simple, activation: Activation(.elu, alpha: 0.5), isReversed: true)),
        f32(n, .fixed(7), .fixed(3)), f32(3, 3), f32(n, .fixed(3)), mask),
      .init(
        .recurrent(Recurrent(.lstm, keepsSlopes: true)), f32(n, .fixed(7), .fixed(12)), f32(3, 12), f32(1, 3),
        f32(n, .fixed(3)), mask),
      .init(.recurrent(Recurrent(.gru)), f32(2, 7, 9), f32(3, 9), f32(9), f32(2, 3)),
    ]
  }

  private var sliceSamples: [OperatorSample] {
    [
      .init(
        .slice([.all, SliceRange(start: -1, end: .min, step: -1), SliceRange(start: 1, end: .max, step: 2)]),
        f32(n, .fixed(5), .fixed(6)))
    ]
  }

  /// Attributes at the ends of their ranges, which no graph would accept but the encoding must carry.
  var extremes: [Op] {
    let ends = [Int.min, -1, 0, 1, 127, 128, Int.max]
    let wild = Window(
      extent: ends, strides: [], dilations: [Int.max], paddingBefore: [Int.min], paddingAfter: ends)
    let activation = Activation(.elu, alpha: -.greatestFiniteMagnitude, beta: -.leastNonzeroMagnitude)
    let dimensions: [Dimension] = [.unknown, .fixed(0), .fixed(.max), .named(0), .named(.max)]
    return switch self {
    case .unary: [.unary(activation)]
    case .binary, .compare, .select: []
    case .reduce: [.reduce(Reduce(.product, axes: ends, keepsDimensions: true))]
    case .argument:
      ends.map { .argument(ArgumentReduce(findsMaximum: false, axis: $0, keepsDimensions: false)) }
    case .matmul: [.matmul(Matmul(transposesA: true, activation: activation))]
    case .convolution: [.convolution(Convolution(window: wild, groups: .min, activation: activation))]
    case .pool: [.pool(Pool(.average, window: wild, countsPadding: true))]
    case .normalize: [.normalize(Normalize(.batch, epsilon: -.infinity))]
    case .softmax: ends.map { .softmax(Softmax(.logSoftmax, axis: $0)) }
    case .recurrent: [.recurrent(Recurrent(.gru, activation: activation, keepsSlopes: true))]
    case .recurrentGradient:
      [.recurrentGradient(Recurrent(.lstm, activation: activation, isReversed: true), ofStates: true)]
    case .reshape: [.reshape(Shape(dimensions))]
    case .expand: [.expand(Shape(dimensions))]
    case .transpose: [.transpose(ends)]
    case .slice: [.slice(ends.map { SliceRange(start: $0, end: -1 - $0, step: $0) })]
    case .pad: [.pad(Pad(before: ends, after: [], value: -0.0))]
    case .concat: ends.map { .concat(axis: $0) }
    case .gather: ends.map { .gather(axis: $0) }
    case .scatterAdd: ends.map { .scatter(.add, axis: $0) }
    case .scatter: ends.map { .scatter(.maximum, axis: $0) }
    case .argsort: ends.map { .argsort(axis: $0, isDescending: true) }
    case .cast, .castWithMode: []
    case .dynamic:
      [
        .dynamic(.slice(axes: ends)), .dynamic(.pad(axes: ends, value: .infinity)),
        .dynamic(.unique(axis: .min, sorts: false)), .dynamic(.branch(then: .max, otherwise: 0)),
        .dynamic(.loop(body: 128, carried: .max)),
      ]
    case .random: [.random(.normal, stream: .max)]
    case .normalizeTraining:
      [
        .normalizeTraining(NormalizeTraining(.layerGradient, epsilon: -1)),
        .normalizeTraining(NormalizeTraining(.channelMoments, epsilon: 0)),
      ]
    case .convolutionWeightGradient: [.convolutionWeightGradient(wild, groups: .min)]
    case .unfold: [.unfold(wild)]
    case .fold: [.fold(wild, height: .min, width: .max)]
    case .poolGradient: [.poolGradient(Pool(.maximum, window: wild, countsPadding: true))]
    }
  }
}

/// A graph with one node for every sample, of those taken, of every operator.
func everyOperator(
  of codes: [OpCode] = OpCode.allCases, where isTaken: (OperatorSample) -> Bool = { _ in true }
) throws -> ModelFile {
  var graph = Graph(name: "every operator")
  _ = graph.dimension("N")
  for code in codes {
    for (number, sample) in code.samples.filter(isTaken).enumerated() {
      // Sums had an operator of their own when their golden file was recorded; and two codes are of casts.
      let family =
        code == .scatterAdd ? "scatterAdd" : "\(sample.op.name)\(code == .castWithMode ? "WithMode" : "")"
      let name = family + "\(number)"
      var inputs: [ValueID] = []
      for (position, type) in sample.inputs.enumerated() {
        inputs.append(graph.addInput(Name("\(name).\(position)"), type.dtype, type.shape))
      }
      let result = try graph.append(sample.op, inputs, name: Name(name))
      graph.addOutput(result)
    }
  }
  return ModelFile(graph: graph)
}

/// A constant of every type, in empty, scalar, odd and panel shapes.
func everyType(of types: [DType] = DType.allCases) throws -> ModelFile {
  var random = TestRandom(seed: 7)
  var graph = Graph(name: "every type")
  func constant(_ name: String, _ tensor: Tensor) { graph.addOutput(graph.addConstant(Name(name), tensor)) }
  for dtype in types {
    for (extents, count) in [([0], 0), ([], 1), ([3, 0, 2], 0), ([5, 7], 35), ([200], 200)] as [([Int], Int)]
    {
      // The upper half of the bits is constant, as with real weights, so that some planes compress.
      let bytes = (0..<count * dtype.size).map { index -> UInt8 in
        if dtype == .bool { return UInt8(random.next() & 1) }
        return index % dtype.size >= (dtype.size + 1) / 2 ? 0x3D : UInt8(truncatingIfNeeded: random.next())
      }
      constant("\(dtype.name) \(Shape(extents).description)", try tensor(dtype, extents, bytes: bytes))
    }
  }
  let x = graph.addInput("x", .f32, [2, 5])
  let weight = graph.addConstant(
    "panels", try panels((0..<85).map { _ in random.float(1) }, rows: 5, columns: 17))
  graph.addOutput(try graph.append(.matmul(Matmul()), [x, weight], name: "matmul"))
  return ModelFile(graph: graph)
}

/// A convolution whose 17 filters of (3, 2, 1) weights are stored in panels, as those of a matrix (6, 17).
@Sendable func filtersInPanels() throws -> ModelFile {
  var random = TestRandom(seed: 9)
  var graph = Graph(name: "filters in panels")
  let x = graph.addInput("x", .f32, Shape([graph.dimension("N"), .fixed(3), .fixed(4), .fixed(3)]))
  let matrix = try panels((0..<102).map { _ in random.float(1) }, rows: 6, columns: 17)
  let weight = graph.addConstant(
    "weight", try tensor(.f32, [17, 3, 2, 1], layout: .filterPanels, bytes: Array(matrix.bytes)))
  let y = try graph.append(.convolution(Convolution(window: Window(extent: [2, 1]))), [x, weight])
  graph.addOutput(y, name: "y")
  return ModelFile(graph: graph)
}

/// A graph whose state is carried from run to run, with all kinds of metadata and self-tests.
func everySection() throws -> ModelFile {
  var graph = Graph(name: "accumulator")
  let batch = graph.dimension("N")
  let state = graph.addInput("sum", .f32, [3])
  let x = graph.addInput("x", .f32, Shape([batch, .fixed(3)]))
  let total = try graph.append(
    .reduce(Reduce(.sum, axes: [0], keepsDimensions: false)), [x], name: "total")
  let next = try graph.append(.binary(.add), [state, total], name: "sum.next")
  graph.addOutput(next)
  graph.states = [CarriedState(input: state, output: next)]
  var model = ModelFile(graph: graph)
  model.metadata.name = "accumulator"
  model.metadata.authors = "Ada Lovelace\nÉvariste Galois"
  model.metadata.labels = ["", "零", "one"]
  model.metadata.setInputDescription("x", "anything")
  model.metadata["empty"] = ""
  for rows in [0, 1, 3] {
    model.selfTests.append(
      SelfTest(
        inputs: [
          try Tensor([Float(1), 2, 3], extents: [3]),
          try Tensor([Float](repeating: 0.5, count: rows * 3), extents: [rows, 3]),
        ],
        outputs: [try Tensor([Float(1), 2, 3].map { $0 + 0.5 * Float(rows) }, extents: [3])]))
  }
  return model
}
