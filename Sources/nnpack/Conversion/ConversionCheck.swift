import NNFormat
import NNGraph
import NNOnnx
import NNPasses
import NNRuntime

/// Comparing what a converted model gives with what others say that it should give.
struct ConversionCheck {
  let runtime: OnnxRuntime
  /// The largest error that is let pass, in parts of an output's largest number. Integers must be the same.
  let tolerance: Double

  static let usualTolerance = 1e-4
  /// How many random inputs are compared.
  static let inputCount = 2

  /// An output against one of the others.
  struct Comparison {
    let output: String
    let against: String
    let difference: TensorDifference
  }

  /// Runs the model that a file's bytes hold on random inputs beside ONNX Runtime, and on the data sets that stand beside the ONNX file.
  ///
  /// - Parameter trials: random inputs with the outputs of the model.
  /// - Throws: ``ErrorCode/selfTestFailed`` naming the first element that is too far away.
  func run(_ file: [UInt8], of input: String, _ trials: [SelfTest]) throws(NNError) -> [Comparison] {
    let model = try file.withUnsafeBytes { bytes in
      Result { () throws(NNError) in try Model.open(bytes: bytes) }
    }.get()
    var comparisons: [Comparison] = []
    if !trials.isEmpty {
      let wanted = try runtime.outputs(of: input, for: trials.map { $0.inputs })
      let ours = try trials.map { (trial) throws(NNError) in try Session(model)(trial.inputs) }
      comparisons += try compare(model.graph, ours, wanted, "ONNX Runtime \(runtime.version)")
    }
    for set in try OnnxDataSet.beside(model: input) {
      do throws(NNError) {
        comparisons += try compare(model.graph, [try Session(model)(set.inputs)], [set.outputs], set.name)
      } catch {
        throw error.within(set.name)
      }
    }
    guard !comparisons.isEmpty else {
      throw NNError(
        .selfTestFailed,
        "there is nothing to check: the model does not run on random inputs, and no test_data_set_* stands beside it"
      )
    }
    return comparisons
  }

  private func compare(
    _ graph: Graph, _ ours: [[Tensor]], _ wanted: [[Tensor]], _ against: String
  ) throws(NNError) -> [Comparison] {
    try graph.outputs.enumerated().map { (index, id) throws(NNError) in
      let name = graph[id].name.string
      var differences: [TensorDifference] = []
      for (outputs, others) in zip(ours, wanted) {
        guard others.count == outputs.count else {
          throw NNError(
            .selfTestFailed,
            Message(text: "\(against) gives \(others.count) outputs instead of \(outputs.count)"))
        }
        do throws(NNError) {
          differences.append(try difference(outputs[index], others[index], against))
        } catch {
          throw error.within("output \(graph[id].name.quoted)")
        }
      }
      let worst = TensorDifference.worst(differences) ?? TensorDifference()
      return Comparison(output: name, against: against, difference: worst)
    }
  }

  private func difference(_ ours: Tensor, _ wanted: Tensor, _ against: String) throws(NNError)
    -> TensorDifference
  {
    let difference = try TensorDifference(of: ours, from: wanted)
    if difference.largest > (ours.dtype.isFloatingPoint ? tolerance : 0) {
      let (a, b) = difference.numbers
      let limit =
        ours.dtype.isFloatingPoint ? "the tolerance is \(tolerance.significant(3))" : "they must be the same"
      throw NNError(
        .selfTestFailed,
        Message(
          text:
            "element \(difference.element) is \(a.significant(9)), \(against) has \(b.significant(9)): an error of "
            + "\(difference.largest.significant(3)) of the largest number; \(limit)"))
    }
    return difference
  }
}
