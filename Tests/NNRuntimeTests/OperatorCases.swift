import NNGraph
import Reference

/// One operator on given inputs, with how closely the result must agree with the reference.
struct OperatorCase: Sendable {
  var op: Op
  var inputs: [ReferenceTensor]
  var bound = Bound.exact
}

/// How far a result may be from the exact one.
enum Bound: Sendable {
  /// The nearest number of the result's type.
  case exact
  /// This many units in the last place of each element.
  case ulps(Double)
  /// This many units in the last place of the largest element, for results that may cancel.
  case ulpsOfLargest(Double)
  /// This much.
  case absolute(Double)
}

/// One example of every family; ``OperatorCases/cases(for:)`` makes the inputs and the variants.
let families: [Op] = [
  .unary(.identity), .binary(.add), .compare(.equal), .select,
  .reduce(Reduce(.sum, axes: [], keepsDimensions: false)),
  .argument(ArgumentReduce(findsMaximum: true, axis: 0, keepsDimensions: false)), .matmul(Matmul()),
  .convolution(Convolution(window: Window(extent: [1, 1]))),
  .pool(Pool(.maximum, window: Window(extent: [1, 1]))),
  .normalize(Normalize(.batch, epsilon: 1)), .softmax(Softmax(.softmax, axis: 0)),
  .recurrent(Recurrent(.lstm)), .recurrentGradient(Recurrent(.lstm, keepsSlopes: true), ofStates: false),
  .reshape([]),
  .transpose([]),
  .expand([]), .slice([]), .pad(Pad(before: [], after: [])), .concat(axis: 0), .gather(axis: 0),
  .scatter(.add, axis: 0), .argsort(axis: 0, isDescending: false), .cast(.f32), .random(.uniform, stream: 0),
  .unfold(Window(extent: [1, 1])),
  .convolutionWeightGradient(Window(extent: [1, 1]), groups: 1),
  .normalizeTraining(NormalizeTraining(.channelMoments)),
  .fold(Window(extent: [1, 1]), height: 1, width: 1),
  .poolGradient(Pool(.maximum, window: Window(extent: [1, 1]))),
]

enum OperatorCases {
  /// Cases of the family that `op` belongs to. No default: a new operator owes an answer here.
  static func cases(for op: Op) -> [OperatorCase] {
    var random = SplitMix64(seed: 7)
    switch op {
    case .unary: return unary(&random)
    case .binary: return binary(&random)
    case .compare: return compare(&random)
    case .select: return select(&random)
    case .reduce: return reduce(&random)
    case .argument: return argument(&random)
    case .matmul: return matmul(&random)
    case .convolution: return convolution(&random)
    case .pool: return pool(&random)
    case .normalize: return normalize(&random)
    case .softmax: return softmax(&random)
    case .recurrent: return recurrent(&random)
    case .recurrentGradient: return recurrentGradient(&random)
    case .reshape: return reshape(&random)
    case .transpose: return transpose(&random)
    case .expand: return expand(&random)
    case .slice: return slice(&random)
    case .pad: return pad(&random)
    case .concat: return concat(&random)
    case .gather: return gather(&random)
    case .scatter: return scatter(&random)
    case .argsort: return argsort(&random)
    case .cast: return cast(&random)
    // Extents that are values are tested with their programs.
    case .dynamic: return []
    case .random: return randomNumbers()
    case .normalizeTraining: return normalizeTraining(&random)
    case .convolutionWeightGradient: return convolutionWeightGradient(&random)
    case .unfold: return unfold(&random)
    case .fold: return fold(&random)
    case .poolGradient: return poolGradient(&random)
    }
  }

  /// Shapes around the vector width, with ones and zeros.
  static let shapes: [[Int]] = [[], [1], [15], [16], [17], [3, 1, 5], [2, 33], [4, 0, 3], [2, 3, 4, 5]]

  /// Pairs that broadcast, and what they broadcast to.
  static let broadcasts: [([Int], [Int])] = [
    ([5], [5]), ([], [2, 3]), ([4, 1], [1, 17]), ([2, 3, 16], [16]), ([2, 3, 4], [3, 1]), ([1, 4], [0, 4]),
    ([2, 1, 3, 1], [5, 1, 33]), ([7, 19], [7, 19]),
  ]

  static func unary(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for function in UnaryFunction.allCases {
      let alpha: Float =
        function == .leakyRelu ? 0.125 : function == .elu ? 1.5 : function == .clip ? -0.5 : 0
      let activation = Activation(function, alpha: alpha, beta: function == .clip ? 0.75 : 0)
      for shape in shapes {
        cases.append(
          OperatorCase(op: .unary(activation), inputs: [random.reals(shape)], bound: bound(function)))
      }
    }
    cases.append(OperatorCase(op: .unary(.identity), inputs: [random.integers([3, 5], -9...9, .i16)]))
    for function in UnaryFunction.allCases where function != .identity {
      let activation = Activation(function, alpha: 0.125, beta: 0.75)
      cases.append(
        OperatorCase(
          op: .unary(activation), inputs: [random.reals([17], range: 2, .f64)],
          bound: .ulps(function == .gelu ? 100 : 16)))
    }
    return cases
  }

  /// What the kernels promise beside their coefficients, and one rounding where a formula adds one.
  static func bound(_ function: UnaryFunction) -> Bound {
    switch function {
    case .identity, .negate, .absolute, .square, .squareRoot, .reciprocal, .sign, .floor, .ceiling, .round,
      .relu,
      .leakyRelu, .clip:
      .exact
    case .exponential, .reciprocalSquareRoot: .ulps(1.5)
    case .logarithm, .errorFunction, .sine, .cosine, .logarithm1p, .exponentialMinus1, .sigmoid, .tanh,
      .softplus:
      .ulps(2.5)
    case .elu, .gelu, .geluTanh, .silu: .ulps(4.5)
    case .tangent, .arcsine, .arccosine, .arctangent, .sinh, .cosh, .asinh, .acosh, .atanh: .ulps(0.51)
    }
  }

  static func binary(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for (a, b) in broadcasts {
      for function in BinaryFunction.allCases where Op.binary(function).computeType(for: .f32) != nil {
        let first = function == .power ? random.wholes(a, 1...9) : random.reals(a)
        cases.append(
          OperatorCase(
            op: .binary(function), inputs: [first, random.reals(b)],
            bound: function == .power ? .ulps(1.5) : .exact))
      }
      for function in BinaryFunction.allCases {
        for dtype in DType.allCases
        where dtype != .f32 && Op.binary(function).computeType(for: dtype) == dtype {
          if dtype == .f64 {
            let pair = [random.wholes(a, -9...9, dtype), random.wholes(b, 1...9, dtype)]
            cases.append(OperatorCase(op: .binary(function), inputs: pair, bound: .ulps(1)))
          } else if dtype == .bool {
            let pair = [random.integers(a, 0...1, dtype), random.integers(b, 0...1, dtype)]
            cases.append(OperatorCase(op: .binary(function), inputs: pair))
          } else {
            let isSigned = dtype.isSigned
            let pair = [
              random.integers(a, isSigned ? -9...9 : 0...9, dtype),
              random.integers(b, isSigned ? -3...3 : 0...70, dtype),
            ]
            cases.append(OperatorCase(op: .binary(function), inputs: pair))
          }
        }
      }
    }
    return cases
  }

  static func compare(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for (a, b) in broadcasts {
      for function in CompareFunction.allCases {
        cases.append(OperatorCase(op: .compare(function), inputs: [random.wholes(a), random.wholes(b)]))
        for dtype in [DType.i32, .i64, .u64] {
          let pair = [random.integers(a, -2...2, dtype), random.integers(b, -2...2, dtype)]
          cases.append(OperatorCase(op: .compare(function), inputs: pair))
        }
        cases.append(
          OperatorCase(
            op: .compare(function), inputs: [random.wholes(a, -4...4, .f64), random.wholes(b, -4...4, .f64)]))
      }
      for (dtype, function) in [(DType.u8, CompareFunction.equal), (.bool, .notEqual), (.i8, .notEqual)] {
        let pair = [random.integers(a, 0...1, dtype), random.integers(b, 0...1, dtype)]
        cases.append(OperatorCase(op: .compare(function), inputs: pair))
      }
    }
    return cases
  }

  static func select(_ random: inout SplitMix64) -> [OperatorCase] {
    broadcasts.flatMap { a, b in
      [
        OperatorCase(
          op: .select, inputs: [random.integers(a, 0...1, .bool), random.reals(b), random.reals([])]),
        OperatorCase(
          op: .select, inputs: [random.integers(b, 0...1, .bool), random.reals(a), random.reals(b)]),
        OperatorCase(
          op: .select,
          inputs: [random.integers(a, 0...1, .bool), random.integers(a, -5...5), random.integers(b, -5...5)]),
        OperatorCase(
          op: .select,
          inputs: [
            random.integers([], 0...1, .bool), random.integers(a, -5...5, .i8),
            random.integers(b, -5...5, .i8),
          ]),
      ]
    }
  }

  static func reduce(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], [Int])] = [
      ([33], [0]), ([5, 17], [1]), ([17, 5], [0]), ([3, 4, 5], [0, 2]), ([3, 4, 5], [0, 1, 2]), ([2, 3], []),
      ([2, 3, 4, 18], [1, 3]), ([3, 0], [0]), ([1, 1], [0, 1]),
    ]
    var cases: [OperatorCase] = []
    for (shape, axes) in variants {
      for function in ReduceFunction.allCases {
        for keeps in [false, true] {
          // Products of ±1 and ±2 stay exact, and so do sums of whole numbers.
          let x = function == .product ? random.wholes(shape, -2...2) : random.wholes(shape)
          cases.append(
            OperatorCase(
              op: .reduce(Reduce(function, axes: axes, keepsDimensions: keeps)), inputs: [x],
              bound: function == .mean ? .ulps(1.5) : .exact))
          let op = Op.reduce(Reduce(function, axes: axes, keepsDimensions: keeps))
          for dtype in [DType.f64, .i64, .u64] where op.computeType(for: dtype) == dtype {
            let x =
              dtype == .f64
              ? ReferenceTensor(x.values, extents: shape, dtype: dtype)
              : random.integers(shape, function == .mean || dtype == .u64 ? 0...9 : -9...9, dtype)
            cases.append(
              OperatorCase(op: op, inputs: [x], bound: .ulps(function == .mean ? 1 : 0)))
          }
        }
      }
    }
    return cases
  }

  static func argument(_ random: inout SplitMix64) -> [OperatorCase] {
    [([33], 0), ([5, 17], 1), ([17, 5], 0), ([3, 4, 5], 1), ([2, 1], 1)].flatMap { shape, axis in
      [(true, false), (false, true), (true, true), (false, false)].flatMap { maximum, last in
        [DType.f32, .f64, .i64, .u64].map { dtype in
          OperatorCase(
            op: .argument(
              ArgumentReduce(findsMaximum: maximum, selectsLast: last, axis: axis, keepsDimensions: last)),
            inputs: [
              dtype.isFloatingPoint
                ? random.wholes(shape, -4...4, dtype) : random.integers(shape, -4...4, dtype)
            ])
        }
      }
    }
  }

  static func matmul(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [(a: [Int], b: [Int])] = [
      ([1, 1], [1, 1]), ([3, 5], [5, 17]), ([1, 64], [64, 33]), ([13, 7], [7, 16]), ([2, 3, 4], [4, 5]),
      ([2, 3, 4], [2, 4, 6]), ([5, 1, 3, 4], [2, 4, 7]), ([4, 0], [0, 3]), ([0, 4], [4, 3]),
      ([70, 40], [40, 50]),
    ]
    var cases: [OperatorCase] = []
    for (index, (a, b)) in variants.enumerated() {
      for transposes in 0..<4 {
        let (transposesA, transposesB) = (transposes & 1 == 1, transposes & 2 == 2)
        let function: UnaryFunction = index % 2 == 0 ? .identity : .relu
        let attributes = Matmul(
          transposesA: transposesA, transposesB: transposesB, activation: Activation(function))
        var inputs = [
          random.wholes(transposesA ? swapped(a) : a), random.wholes(transposesB ? swapped(b) : b),
        ]
        if transposes % 2 == index % 2 { inputs.append(random.wholes([b[b.count - 1]])) }
        cases.append(OperatorCase(op: .matmul(attributes), inputs: inputs))
        let plain = Matmul(transposesA: transposesA, transposesB: transposesB)
        for dtype in [DType.f64, .i32, .i64] {
          cases.append(
            OperatorCase(
              op: .matmul(plain),
              inputs: inputs.map { x in
                dtype == .f64
                  ? ReferenceTensor(x.values, extents: x.extents, dtype: dtype)
                  : random.integers(x.extents, -99999...99999, dtype)
              }))
        }
      }
    }
    let smooth = Matmul(activation: Activation(.tanh))
    cases.append(
      OperatorCase(
        op: .matmul(smooth), inputs: [random.wholes([3, 2], -1...1), random.wholes([2, 5], -1...1)],
        bound: .ulps(2.5)))
    return cases
  }

  static func swapped(_ extents: [Int]) -> [Int] {
    extents.dropLast(2) + [extents[extents.count - 1], extents[extents.count - 2]]
  }
}
