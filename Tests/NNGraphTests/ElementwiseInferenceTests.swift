import NNGraph
import Testing

@Test(arguments: UnaryFunction.allCases)
func unaryKeepsTheType(function: UnaryFunction) throws {
  let op = Op.unary(Activation(function))
  #expect(try infer(op, f32(n, .fixed(3))) == f32(n, .fixed(3)))
  if function == .identity {
    for dtype in DType.allCases { #expect(try infer(op, TensorType(dtype, [2])) == TensorType(dtype, [2])) }
  } else {
    expectRefused(op, i64(.fixed(2)), code: .unsupportedOperator, "not available for i64")
    expectRefused(op, TensorType(.f16, [2]), code: .unsupportedOperator, "cast the operands to f32")
    #expect(try infer(op, TensorType(.f64, [2])) == TensorType(.f64, [2]))
  }
}

@Test(arguments: BinaryFunction.allCases)
func binaryBroadcastsTheSameType(function: BinaryFunction) throws {
  let op = Op.binary(function)
  #expect(try infer(op, i64(n, .fixed(1)), i64(.fixed(3))) == i64(n, .fixed(3)))
  expectRefused(op, f32(2), i64(.fixed(2)), code: .dtypeMismatch, "f32 and i64")
  expectRefused(op, i64(.fixed(2)), i64(.fixed(3)), code: .shapeMismatch, "do not broadcast")
  expectRefused(op, f32(2), code: .invalidGraph, "takes 2 inputs, not 1")
  let isBitwise = [.bitwiseAnd, .bitwiseOr, .bitwiseXor].contains(function)
  if isBitwise || function == .shiftLeft || function == .shiftRight {
    expectRefused(op, f32(2), f32(2), code: .unsupportedOperator, "f32")
  } else {
    #expect(try infer(op, f32(n, .fixed(1)), f32(3)) == f32(n, .fixed(3)))
  }
  let bool = TensorType(.bool, [])
  if isBitwise {
    #expect(try infer(op, bool, bool) == bool)
  } else {
    expectRefused(op, bool, bool, code: .unsupportedOperator, "bool")
  }
}

@Test(arguments: DType.allCases)
func operandsOfEveryTypeAreComputedInOneThatHasKernels(dtype: DType) throws {
  var ops: [Op] = [
    .select, .matmul(Matmul()),
    .argument(ArgumentReduce(findsMaximum: true, axis: 0, keepsDimensions: false)),
  ]
  ops += UnaryFunction.allCases.map { .unary(Activation($0)) }
  ops += BinaryFunction.allCases.map { .binary($0) }
  ops += CompareFunction.allCases.map { .compare($0) }
  ops += ReduceFunction.allCases.map { .reduce(Reduce($0, axes: [0], keepsDimensions: false)) }
  for op in ops {
    guard let type = op.computeType(for: dtype) else { continue }
    #expect(op.computeType(for: type) == type, "\(op) of \(dtype)")
    // A wider type holds all numbers, but where sums and products have the same bits in a narrower one.
    #expect(type.bitWidth >= dtype.bitWidth, "\(op) of \(dtype)")
  }
}

@Test(arguments: CompareFunction.allCases)
func compareGivesBooleans(function: CompareFunction) throws {
  let op = Op.compare(function)
  #expect(try infer(op, f32(n), f32(1)) == TensorType(.bool, Shape([n])))
  #expect(try infer(op, i64(.fixed(2)), i64()) == TensorType(.bool, [2]))
  let booleans = TensorType(.bool, [2])
  if function == .equal || function == .notEqual {
    #expect(try infer(op, booleans, booleans) == booleans)
  } else {
    expectRefused(op, booleans, booleans, code: .unsupportedOperator, "bool")
  }
  expectRefused(op, f32(2), booleans, code: .dtypeMismatch, "f32 and bool")
}

@Test func selectTakesAConditionAndTwoValuesOfOneType() throws {
  let condition = TensorType(.bool, Shape([n, .fixed(1)]))
  #expect(try infer(.select, condition, i64(.fixed(3)), i64()) == i64(n, .fixed(3)))
  expectRefused(.select, f32(1), f32(1), f32(1), code: .dtypeMismatch, "condition must be bool")
  expectRefused(.select, condition, f32(1), i64(), code: .dtypeMismatch, "f32 and i64")
  expectRefused(.select, TensorType(.bool, [2]), f32(3), f32(3), code: .shapeMismatch, "broadcast")
  expectRefused(.select, condition, f32(1), code: .invalidGraph, "takes 3 inputs, not 2")
}

@Test(arguments: DType.allCases)
func castChangesTheTypeAlone(dtype: DType) throws {
  for from in DType.allCases {
    let (x, y) = (TensorType(from, Shape([n, .fixed(2)])), TensorType(dtype, Shape([n, .fixed(2)])))
    for mode in CastMode.allCases where mode != .bits {
      #expect(try infer(.cast(dtype, mode: mode), x) == y)
    }
    if from.bitWidth == dtype.bitWidth {
      #expect(try infer(.cast(dtype, mode: .bits), x) == y)
    } else {
      expectRefused(.cast(dtype, mode: .bits), x, code: .dtypeMismatch, "not as many")
    }
  }
}

@Test func randomIsShapedLikeItsFirstInput() throws {
  for function in RandomFunction.allCases {
    let op = Op.random(function, stream: 7)
    #expect(try infer(op, i64(n, .fixed(3)), i64(.fixed(2))) == f32(n, .fixed(3)))
    expectRefused(op, f32(2), f32(2), code: .dtypeMismatch, "key must be i64")
    expectRefused(op, f32(2), i64(.fixed(3)), code: .shapeMismatch, "instead of (2)")
  }
}

@Test(arguments: SoftmaxFunction.allCases)
func softmaxKeepsTheType(function: SoftmaxFunction) throws {
  #expect(try infer(.softmax(Softmax(function, axis: 1)), f32(n, .fixed(3))) == f32(n, .fixed(3)))
  for axis in [-1, 2, .max, .min] {
    expectRefused(.softmax(Softmax(function, axis: axis)), f32(2, 3), code: .invalidGraph, "axis \(axis)")
  }
  expectRefused(.softmax(Softmax(function, axis: 0)), i64(n), code: .dtypeMismatch, "f32")
}

@Test func normalizeTakesVectorsOfItsAxis() throws {
  let batch = Op.normalize(Normalize(.batch, epsilon: 1e-5))
  let x = f32(n, .fixed(3), .fixed(4))
  #expect(try infer(batch, x, f32(3), f32(3), f32(3), f32(3)) == x)
  expectRefused(batch, x, f32(3), f32(3), f32(3), f32(4), code: .shapeMismatch, "variance has shape (4)")
  expectRefused(batch, x, f32(3), f32(3, 1), f32(3), f32(3), code: .shapeMismatch, "bias has shape")
  expectRefused(batch, f32(3), f32(3), f32(3), f32(3), f32(3), code: .shapeMismatch, "(N, C, …)")
  expectRefused(batch, x, f32(3), f32(3), code: .invalidGraph, "takes 5 inputs")
  let layer = Op.normalize(Normalize(.layer, epsilon: 1e-5))
  #expect(try infer(layer, x, f32(4), f32(4)) == x)
  expectRefused(layer, x, f32(3), f32(4), code: .shapeMismatch, "scale has shape (3)")
  expectRefused(layer, f32(), f32(1), f32(1), code: .shapeMismatch, "scalar")
  for epsilon in [0, -1, Float.infinity, .nan] {
    expectRefused(
      .normalize(Normalize(.layer, epsilon: epsilon)), x, f32(4), f32(4), code: .invalidGraph, "epsilon")
  }
}
