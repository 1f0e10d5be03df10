import NNGraph

/// What follows a model's last layer in the exported file. Losses take logits, programs usually want probabilities.
public enum OutputHead: Equatable, Sendable {
  /// The model's output as it is.
  case none
  /// Probabilities of exclusive classes: softmax over the last axis.
  case softmax
  /// A probability for each output: sigmoid.
  case sigmoid
}

/// A model traced for evaluation and export: input "input" (N, sample…), output "output", N free, parameters as constants. Of the
/// constants they alone have names, which weights are found by, see ``NamedWeights``.
///
/// A stateful one runs step by step with a batch of 1; the memory of its layers follows the input and the output.
struct InferenceGraph {
  let graph: Graph
  /// Extents of the output for one sample.
  let outputShape: [Int]

  init(
    _ model: any Layer, sampleShape: [Int], inputType: DType = .f32, head: OutputHead, store: ParameterStore,
    name: Name = "model", isStateful: Bool = false
  ) throws(NNError) {
    try Shape(sampleShape).validate()
    let trace = Trace(mode: .inference, parameters: store, name: name, isStateful: isStateful)
    let batch = isStateful ? .fixed(1) : trace.dimension("N")
    let x = trace.input("input", inputType, Shape([batch] + sampleShape.map { .fixed($0) }))
    let prediction = try model(x)
    guard prediction.rank >= 1, prediction.shape[0] == batch,
      let outputShape = Shape(Array(prediction.shape.dimensions.dropFirst())).extents
    else {
      throw NNError(
        .shapeMismatch, "the model's output \(prediction.shapeDescription) does not begin with the batch N")
    }
    self.outputShape = outputShape
    let output =
      switch head {
      case .none: prediction
      case .softmax: try prediction.softmax()
      case .sigmoid: try prediction.unary(.sigmoid)
      }
    try trace.output(output, name: "output")
    // Outputs of states were added while layers were called: the model's own goes first.
    var graph = trace.graph
    if let last = graph.outputs.popLast() { graph.outputs.insert(last, at: 0) }
    var isParameter = [Bool](repeating: false, count: graph.values.count)
    for entry in trace.parameters { isParameter[entry.tensor.id.index] = true }
    for index in graph.values.indices where graph.values[index].constant != nil && !isParameter[index] {
      graph.values[index].name = ""
    }
    self.graph = graph
  }

  /// Throws if loss or metrics cannot take the model's output.
  static func check(_ recipe: TrainingRecipe, outputShape: [Int]) throws(NNError) {
    _ = try scores(recipe, outputShape: outputShape, batch: 1)
  }

  /// Loss and metrics as functions of predictions: inputs "prediction" and "target", the mean loss and the metrics' sums as outputs.
  static func scores(_ recipe: TrainingRecipe, outputShape: [Int], batch: Int) throws(NNError) -> Graph {
    let trace = Trace(mode: .inference, parameters: ParameterStore(seed: 0), name: "scores")
    let prediction = trace.input("prediction", .f32, Shape([batch] + outputShape))
    let target = trace.input(
      "target", recipe.loss.targetKind.dtype,
      Shape([batch] + recipe.loss.targetShape(outputShape: outputShape)))
    try trace.output(recipe.loss(prediction: prediction, target: target), name: "loss")
    try recipe.outputMetrics(prediction: prediction, target: target)
    try trace.graph.verify()
    return trace.graph
  }
}
