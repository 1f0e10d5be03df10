import NNGraph

/// Operators of the domain ai.onnx.ml.
enum MachineLearning {
  static let operators: [String: Lowering] = [
    "ai.onnx.ml/ArrayFeatureExtractor": extractFeatures, "ai.onnx.ml/Binarizer": binarize,
    "ai.onnx.ml/Scaler": scale,
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
}
