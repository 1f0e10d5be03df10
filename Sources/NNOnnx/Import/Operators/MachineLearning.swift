import NNGraph

/// Operators of the domain ai.onnx.ml.
enum MachineLearning {
  static let operators: [String: Lowering] = [
    "ai.onnx.ml/ArrayFeatureExtractor": extractFeatures, "ai.onnx.ml/Binarizer": binarize,
    "ai.onnx.ml/Imputer": impute, "ai.onnx.ml/LinearClassifier": classify,
    "ai.onnx.ml/LinearRegressor": regress, "ai.onnx.ml/Normalizer": normalize, "ai.onnx.ml/Scaler": scale,
  ]

  /// The chosen elements of the last axis; of a vector, as a row.
  private static func extractFeatures(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (x, places) = (try node.input(0), try node.input(1))
    let flat = try graph.reshape(
      places, Shape([graph.shape(places).elementCount.map { .fixed($0) } ?? .unknown]))
    let source = graph.rank(x) == 1 ? try graph.unsqueeze(x, [0]) : x
    return [try graph.gather(source, flat, axis: graph.rank(source) - 1)]
  }

  /// 1 above a threshold, else 0.
  private static func binarize(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let threshold = try graph.scalar(Double(try node.float("threshold", default: 0)), like: x)
    return [try graph.cast(try graph.compare(.greater, x, threshold), graph.dtype(x))]
  }

  /// (x − offset)·scale.
  private static func scale(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try graph.cast(try node.input(0), .f32)
    let offset = try node.floats("offset") ?? [0]
    let scale = try node.floats("scale") ?? [1]
    let shifted = try graph.subtract(x, try graph.floats(offset, extents: [offset.count]))
    return [try graph.multiply(shifted, try graph.floats(scale, extents: [scale.count]))]
  }

  /// What is missing, as a number or NaN says, replaced: by one value, or by one for each of the last axis.
  private static func impute(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try node.input(0)
    let isFloat = graph.dtype(x).isFloatingPoint
    let values: Tensor
    let isMissing: ValueID
    if isFloat {
      let imputed = try node.required(try node.floats("imputed_value_floats"), "imputed_value_floats")
      let replaced = try node.float("replaced_value_float", default: 0)
      values = try Tensor(imputed, extents: [imputed.count])
      isMissing =
        replaced.isNaN
        ? try graph.compare(.notEqual, x, x)
        : try graph.compare(.equal, x, try graph.scalar(Double(replaced), like: x))
    } else {
      let imputed = try node.required(try node.ints("imputed_value_int64s"), "imputed_value_int64s")
      values = try Tensor(imputed.map { Int64($0) }, extents: [imputed.count])
      let replaced = try node.int("replaced_value_int64", default: 0)
      isMissing = try graph.compare(.equal, x, try graph.scalar(int: replaced, graph.dtype(x)))
    }
    return [try graph.select(isMissing, try graph.cast(try graph.add(values), graph.dtype(x)), x)]
  }

  /// x·Wᵀ + b: features (N, F) → scores (N, C).
  private static func linear(_ node: OnnxNode, _ graph: GraphBuilder) throws -> (scores: ValueID, count: Int)
  {
    let given = try graph.cast(try node.input(0), .f32)
    let x = graph.rank(given) == 1 ? try graph.unsqueeze(given, [0]) : given
    guard graph.rank(x) == 2 else { throw NNError(.shapeMismatch, "takes features (N, F)") }
    let features = try graph.extent(x, 1)
    let coefficients = try node.required(try node.floats("coefficients"), "coefficients")
    guard features > 0, coefficients.count >= features, coefficients.count % features == 0 else {
      throw NNError(.shapeMismatch, "\(coefficients.count) coefficients for \(features) features")
    }
    let count = coefficients.count / features
    let weight = try graph.floats(coefficients, extents: [count, features])
    let scores = try graph.matmul(x, weight, transposesB: true)
    guard let intercepts = try node.floats("intercepts"), !intercepts.isEmpty else { return (scores, count) }
    guard intercepts.count == count else {
      throw NNError(.shapeMismatch, "\(intercepts.count) intercepts for \(count) results")
    }
    return (try graph.add(scores, try graph.floats(intercepts, extents: [count])), count)
  }

  /// What `post_transform` makes of scores (N, C).
  private static func transformed(_ scores: ValueID, _ node: OnnxNode, _ graph: GraphBuilder) throws
    -> ValueID
  {
    switch try node.string("post_transform", default: "NONE") {
    case "NONE": return scores
    case "SOFTMAX": return try Reductions.softmax(.softmax, scores, 1, graph)
    case "LOGISTIC": return try graph.unary(.sigmoid, scores)
    case let name: throw NNError(.unsupportedOperator, Message(text: "post_transform \"\(name)\""))
    }
  }

  private static func regress(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let (scores, count) = try linear(node, graph)
    let targets = try node.int("targets", default: 1)
    guard targets == count else {
      throw NNError(.shapeMismatch, "coefficients of \(count) targets, not \(targets)")
    }
    return [try transformed(scores, node, graph)]
  }

  /// The label of the largest score, and the scores.
  private static func classify(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    guard try node.strings("classlabels_strings") ?? [] == [] else {
      throw NNError(.unsupportedOperator, "labels that are strings")
    }
    let (scores, count) = try linear(node, graph)
    let labels = try node.required(try node.ints("classlabels_ints"), "classlabels_ints")
    guard count > 1, labels.count == count else {
      throw NNError(.unsupportedOperator, "\(labels.count) labels for the scores of \(count) classes")
    }
    let best = try graph.append(
      .argument(ArgumentReduce(findsMaximum: true, axis: 1, keepsDimensions: false)), scores)
    return [try graph.gather(try graph.ints(labels), best, axis: 0), try transformed(scores, node, graph)]
  }

  /// Each row divided by its largest number, the sum of its magnitudes, or its length; a row where that is 0 stays.
  private static func normalize(_ node: OnnxNode, _ graph: GraphBuilder) throws -> [ValueID] {
    let x = try graph.cast(try node.input(0), .f32)
    let axes = [graph.rank(x) - 1]
    guard axes[0] >= 0, axes[0] <= 1 else { throw NNError(.shapeMismatch, "takes features (N, F)") }
    let norm: ValueID
    switch try node.string("norm", default: "MAX") {
    case "MAX": norm = try graph.reduce(.maximum, x, axes)
    case "L1": norm = try graph.reduce(.sum, try graph.unary(.absolute, x), axes)
    case "L2": norm = try graph.unary(.squareRoot, try graph.reduce(.sum, try graph.unary(.square, x), axes))
    case let name: throw NNError(.invalidGraph, Message(text: "norm \"\(name)\""))
    }
    let isZero = try graph.compare(.equal, norm, try graph.scalar(0, .f32))
    return [try graph.divide(x, try graph.select(isZero, try graph.scalar(1, .f32), norm))]
  }
}
