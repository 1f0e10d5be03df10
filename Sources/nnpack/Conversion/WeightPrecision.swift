import ArgumentParser
import NNFormat
import NNGraph
import NNPasses
import NNRuntime

/// The type whose numbers large weights are rounded to.
enum WeightPrecision: String, CaseIterable, ExpressibleByArgument {
  case f32, f16, bf16

  /// nil for weights as they are.
  var dtype: DType? {
    switch self {
    case .f32: nil
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}

/// What rounding weights cost.
struct RoundingReport {
  let dtype: DType
  let weights: RoundedWeights
  /// For each output its difference from the model with weights as they were; empty if the model did not run.
  let errors: [(output: String, difference: TensorDifference)]
  /// How many inputs were tried.
  let inputCount: Int

  /// Runs the graph as it was, for inputs for which outputs of the rounded one are known.
  init(_ dtype: DType, _ weights: RoundedWeights, from graph: Graph, _ trials: [SelfTest]) throws(NNError) {
    self.dtype = dtype
    self.weights = weights
    inputCount = trials.count
    guard !trials.isEmpty else {
      errors = []
      return
    }
    let recorder = try SelfTestRecorder(graph)
    let exact = try trials.map { (trial) throws(NNError) in try recorder.outputs(for: trial.inputs) }
    errors = try graph.outputs.enumerated().map { (index, id) throws(NNError) in
      var differences: [TensorDifference] = []
      for (trial, wanted) in zip(trials, exact) {
        differences.append(try TensorDifference(of: trial.outputs[index], from: wanted[index]))
      }
      return (graph[id].name.string, TensorDifference.worst(differences) ?? TensorDifference())
    }
  }

  var text: String {
    let tensors = "\(weights.tensors.grouped) weight\(weights.tensors == 1 ? "" : "s")"
    let heading = "  \(tensors), \(weights.numbers.grouped) numbers, rounded to \(dtype.name)"
    guard !errors.isEmpty else {
      return heading + "; what it costs is not known: the model does not run on random inputs"
    }
    var table = Table(["output", "largest error", "mean"], alignments: [.left, .right, .right])
    for (output, difference) in errors {
      table.append([output, difference.largest.significant(3), difference.mean.significant(3)])
    }
    return heading + "; against f32, in parts of an output's largest number:\n\(table.text)"
  }
}
